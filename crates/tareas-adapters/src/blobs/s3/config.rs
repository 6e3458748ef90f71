//! Where the bucket is, and who we are there.

use std::fmt;

/// The region of stores that have none.
const REGION: &str = "us-east-1";

/// Which bucket: `s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=NAME`. With an endpoint,
/// the bucket is in the path of URLs and not in the name of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) endpoint: Option<String>,
    pub(super) region: String,
}

/// The keys of an account. Shows nothing of itself.
#[derive(Clone)]
pub struct S3Keys {
    /// The public half, as in `AWS_ACCESS_KEY_ID`.
    pub id: String,
    /// The secret half, as in `AWS_SECRET_ACCESS_KEY`.
    pub secret: String,
    /// What goes with keys that were lent for a while, as in `AWS_SESSION_TOKEN`.
    pub session: Option<String>,
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Keys(…)")
    }
}

/// Why a URL does not say where a bucket is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of a bucket: {0}")]
pub struct InvalidUrl(&'static str);

impl S3Config {
    /// The bucket and the prefix in it, for people.
    pub fn place(&self) -> String {
        match self.prefix.trim_matches('/') {
            "" => self.bucket.clone(),
            prefix => format!("{}/{prefix}", self.bucket),
        }
    }

    /// Reads a URL.
    ///
    /// # Errors
    /// When it names no bucket, or says something that has no meaning here.
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let rest = url
            .strip_prefix("s3://")
            .ok_or(InvalidUrl("it does not begin with s3://"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if bucket.is_empty() || !bucket.chars().all(is_fine) {
            return Err(InvalidUrl("it names no bucket"));
        }
        let mut config = Self {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint: None,
            region: REGION.to_owned(),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("endpoint", endpoint)) => config.endpoint = Some(http(endpoint)?),
                Some(("region", region)) if !region.is_empty() => {
                    region.clone_into(&mut config.region)
                }
                _ => return Err(InvalidUrl("its query knows endpoint and region only")),
            }
        }
        Ok(config)
    }
}

fn http(endpoint: &str) -> Result<String, InvalidUrl> {
    let is_http = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    match is_http && !endpoint.contains('@') {
        true => Ok(endpoint.trim_end_matches('/').to_owned()),
        false => Err(InvalidUrl(
            "its endpoint is no plain http:// or https:// URL",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_all_but_the_keys() {
        let config = S3Config::parse("s3://b/some/where/?endpoint=http://h:1/&region=eu").unwrap();
        assert_eq!(
            (config.bucket.as_str(), config.prefix.as_str()),
            ("b", "some/where")
        );
        assert_eq!(config.endpoint.as_deref(), Some("http://h:1"));
        assert_eq!(config.region, "eu");
        let config = S3Config::parse("s3://b").unwrap();
        assert_eq!((config.prefix.as_str(), config.endpoint), ("", None));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "s3://",
            "file:x",
            "s3:///p",
            "s3://b?x=y",
            "s3://b?endpoint=ftp://h",
            "s3://b?endpoint=http://u:p@h",
        ] {
            assert!(S3Config::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn keys_do_not_show() {
        let keys = S3Keys {
            id: "visible".to_owned(),
            secret: "hidden".to_owned(),
            session: None,
        };
        let shown = format!("{keys:?}");
        assert!(!shown.contains("hidden") && !shown.contains("visible"));
    }
}
