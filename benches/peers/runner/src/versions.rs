//! The pinned versions of the servers, read from the files that pin them.

use std::fs;

use anyhow::{Context, Result};

use crate::home;

pub struct Versions {
    cargo: toml::Table,
    own: toml::Table,
    npm: serde_json::Value,
    pip: String,
}

impl Versions {
    pub fn read() -> Result<Self> {
        let read = |path| fs::read_to_string(home().join(path)).context(path);
        Ok(Self {
            cargo: read("Cargo.toml")?.parse()?,
            own: read("../../Cargo.toml")?.parse()?,
            npm: serde_json::from_str(&read("servers/fastify/package.json")?)?,
            pip: read("servers/flask/requirements.txt")?,
        })
    }

    pub fn own(&self) -> Result<String> {
        let version = self.own["package"]["version"].as_str();
        Ok(format!("rocket_jwt_extended {}", version.context("no version of this crate")?))
    }

    pub fn cargo(&self, name: &str) -> Result<String> {
        let dependency = &self.cargo["workspace"]["dependencies"][name];
        let version = dependency.get("version").unwrap_or(dependency).as_str();
        let version = version.and_then(|version| version.strip_prefix('='));
        Ok(format!("{name} {}", version.with_context(|| format!("{name} is not pinned"))?))
    }

    pub fn npm(&self, name: &str) -> Result<String> {
        let version = self.npm["dependencies"][name].as_str();
        Ok(format!("{name} {}", version.with_context(|| format!("{name} is not pinned"))?))
    }

    pub fn pip(&self, name: &str) -> Result<String> {
        let version = self.pip.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="));
        Ok(format!("{name} {}", version.with_context(|| format!("{name} is not pinned"))?))
    }
}
