//! Who may ask at all: what keeps foreign pages away from a server on loopback.
//!
//! A page of another site can make a browser send requests here, and can give its own name the
//! address of this machine (DNS rebinding). So the `Host` must be one of ours, and a request that
//! changes something must come from our own page or from no page, and carry a type that no form
//! of a foreign page can have. There is no CORS. Everything here holds on loopback too.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tareas_protocol::{Code, Lang};

use super::problem::Problem;
use super::visit::Visit;
use super::{look, page, socket};
use crate::ServerConfig;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'self'";

/// A browser that came encrypted once comes encrypted for half a year.
const STRICT_TRANSPORT: &str = "max-age=15768000";

/// Lets a request through or answers why not, and hardens whatever is answered.
pub(super) async fn guard(visit: Visit, request: Request, next: Next) -> Response {
    let is_encrypted = visit.is_encrypted;
    let mut response = match admit(&visit, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    harden(response.headers_mut());
    if is_encrypted {
        let value = HeaderValue::from_static(STRICT_TRANSPORT);
        response
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    look::remember_language(&visit, &mut response);
    response
}

fn admit(visit: &Visit, request: &Request) -> Result<(), Problem> {
    let (uri, headers) = (request.uri(), request.headers());
    let host = host_of(uri, headers);
    if !is_our_host(host, uri, headers, &visit.server.config) {
        return Err(foreign_host(visit, host));
    }
    let is_reading = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    // What is said on a socket changes something, and nothing asks a browser before it opens one.
    let opens_socket = uri.path() == socket::PATH;
    if is_reading && !opens_socket {
        return Ok(());
    }
    if !is_our_page(headers, host, visit.server.config.public_url.as_deref()) {
        return Err(visit.problem(visit.error(Code::CrossOrigin)));
    }
    if !is_reading && !has_safe_type(request.method(), uri.path(), headers) {
        return Err(visit.problem(visit.error(Code::UnsupportedMediaType)));
    }
    Ok(())
}

/// The host that the request names: HTTP/2 puts it into the URI, HTTP/1 into a header.
fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let named = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    named.or_else(|| uri.authority().map(|authority| authority.as_str()))
}

/// Whether the request names this server. Only one without any name, which no browser sends
/// (HTTP/1.0), needs none; where the URI names a host too, both must be ours.
fn is_our_host(host: Option<&str>, uri: &Uri, headers: &HeaderMap, config: &ServerConfig) -> bool {
    let absolute = uri.authority().map(|authority| authority.as_str());
    let hosts = headers.get_all(header::HOST).iter().count();
    hosts <= 1
        && host.is_some() == (hosts == 1 || absolute.is_some())
        && [host, absolute]
            .into_iter()
            .flatten()
            .all(|host| is_ours(host, config))
}

/// A loopback name, an address that the server is bound to, or the host of `public_url`. A
/// server bound to every address (`0.0.0.0`) has every address: only names can be rebound.
fn is_ours(authority: &str, config: &ServerConfig) -> bool {
    let host = without_port(authority);
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        let address = address.to_canonical();
        let is_bound = |ip: IpAddr| ip.is_unspecified() || ip.to_canonical() == address;
        return address.is_loopback() || {
            let mut bound = config.bind.iter().chain(&config.proxied);
            bound.any(|bind| is_bound(bind.ip()))
        };
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let public = config
        .public_url
        .as_deref()
        .and_then(authority_of)
        .map(without_port);
    name == "localhost"
        || name.ends_with(".localhost")
        || public.is_some_and(|public| public.eq_ignore_ascii_case(&name))
}

/// Whether a request that changes something comes from our own page, or from no page at all.
fn is_our_page(headers: &HeaderMap, host: Option<&str>, public_url: Option<&str>) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(authority_of) else {
        return false;
    };
    let ours = [host, public_url.and_then(authority_of)];
    ours.into_iter()
        .flatten()
        .any(|own| own.eq_ignore_ascii_case(origin))
}

/// Whether the body has a type that a page cannot send to another site without asking first.
/// Every other method than `POST` is always asked about first, and that is never granted.
fn has_safe_type(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    if *method != Method::POST {
        return true;
    }
    match media_type(headers).as_str() {
        "application/json" | "application/x-ndjson" | "application/ndjson" => true,
        "application/x-www-form-urlencoded" => page::takes_form(path),
        _ => false,
    }
}

/// The type of the body in lower case, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn authority_of(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?;
    rest.split(['/', '?', '#']).next()
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !is_bare_v6(host) => host,
        _ => authority,
    }
}

/// `::1` without brackets: what follows its last colon is no port.
fn is_bare_v6(host: &str) -> bool {
    host.contains(':') && !host.ends_with(']')
}

fn foreign_host(visit: &Visit, host: Option<&str>) -> Problem {
    let shown: String = host.unwrap_or_default().chars().take(64).collect();
    let message = match visit.lang {
        Lang::En => format!("`{shown}` is not a name of this server"),
        Lang::Es => format!("`{shown}` no es un nombre de este servidor"),
    };
    visit.problem(visit.error(Code::ForbiddenHost).message(message))
}

fn harden(headers: &mut HeaderMap) {
    // `no-referrer` would have browsers send `Origin: null` with our own forms.
    let fixed: [(HeaderName, &str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let fresh = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(fresh);
}

#[cfg(test)]
mod tests;
