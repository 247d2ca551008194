//! Cookies: setting, unsetting and renewing them, and what a browser makes of them.

mod browser_model;
mod implicit_refresh;
mod implicit_refresh_not;
mod in_a_browser;
mod over_a_socket;
mod refused;
mod set;
mod shadowed;
mod unset;
