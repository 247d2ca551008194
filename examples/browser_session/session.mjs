// `request` is `fetch` for a page whose tokens are in cookies: it sends the CSRF value, and repeats a request
// once after the access token has expired. Requests at the same time, in all tabs, share one refresh.

const REFRESH = "/session/refresh";

/** Read for each request: a refresh, perhaps in another tab, changes the value. */
const csrf = (type) =>
    document.cookie.match(new RegExp(`(?:^|; )csrf_${type}_token=([^;]*)`))?.[1];

/**
 * Returns the response. With 401, the user has to log in or, after `fresh_token_required`, to confirm the
 * password. The body must be one that can be sent twice: a string or a form, not a stream.
 */
export async function request(url, options) {
    const used = csrf("access");
    const response = await send(url, options, used);
    switch (await refusal(response)) {
        case "token_expired":
        case "token_missing": {
            // With `session_cookie = false`, browsers delete the cookie when its token expires.
            if (!csrf("refresh")) return response;
            const failed = await refresh(used);
            if (failed) return failed;
            break;
        }
        case "csrf_missing":
        case "csrf_mismatch":
            // Another tab has refreshed since the value was read.
            if (csrf("access") === used) return response;
            break;
        default:
            return response;
    }
    return send(url, options, csrf("access"));
}

function send(url, options, value) {
    // The value must be sent only to this server.
    if (new URL(url, location.href).origin !== location.origin) {
        throw new TypeError("a request to another origin");
    }
    const headers = new Headers(options?.headers);
    if (value) headers.set("X-CSRF-TOKEN", value);
    return fetch(url, { ...options, headers, credentials: "same-origin" });
}

/** The code of a refusal by a guard: no route ran, so that the request can be repeated. */
async function refusal(response) {
    if (response.status !== 401) return undefined;
    const body = await response.clone().json().catch(() => null);
    return body?.code;
}

let refreshing;

/** Resolves to nothing, or to the response of a refresh that failed. */
function refresh(used) {
    refreshing ??= inOneTab(() => exchange(used)).finally(() => (refreshing = undefined));
    // Each caller reads its own copy of the response.
    return refreshing.then((failed) => failed?.clone());
}

/** Without Web Locks, which need HTTPS, tabs rely on `rotation_grace`. */
const inOneTab = (run) => (navigator.locks ? navigator.locks.request(REFRESH, run) : run());

async function exchange(used) {
    const current = csrf("access");
    // Another request or tab has refreshed since this one was sent.
    if (current && current !== used) return undefined;
    const response = await send(REFRESH, { method: "POST" }, csrf("refresh"));
    return response.ok ? undefined : response;
}
