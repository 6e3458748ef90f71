//! What the environment says about traces, by the names that all of OpenTelemetry has.
//!
//! `OTEL_TRACES_SAMPLER`, the `OTEL_BSP_*` and the rest of `OTEL_EXPORTER_OTLP_*` are read by the
//! libraries; what is read here decides whether there is anything to be recorded.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};

/// Who a span is from, where nobody says another name.
const SERVICE_NAME: &str = "tareas";

/// The environment, or what a test puts in its place.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether the environment names a collector, and does not switch it off.
pub(super) fn is_asked_for(lookup: Lookup<'_>) -> bool {
    let says = |name| lookup(name).filter(|value| !value.trim().is_empty());
    let is_named = says("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| says("OTEL_EXPORTER_OTLP_ENDPOINT"))
        .is_some();
    let is_off = says("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let is_none = says("OTEL_TRACES_EXPORTER").is_some_and(|value| value.trim() == "none");
    is_named && !is_off && !is_none
}

/// A protocol that is asked for and not spoken here.
pub(super) fn foreign_protocol(lookup: Lookup<'_>) -> Option<String> {
    let asked = lookup("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
        .or_else(|| lookup("OTEL_EXPORTER_OTLP_PROTOCOL"))?;
    (!matches!(asked.trim(), "" | "http/protobuf")).then_some(asked)
}

/// Who the spans are from: what the environment says, and our own name where it is silent.
pub(super) fn resource(lookup: Lookup<'_>) -> Resource {
    let builder = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", SERVICE_NAME),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    let name = lookup("OTEL_SERVICE_NAME").filter(|name| !name.is_empty());
    match name {
        Some(name) => builder.with_service_name(name).build(),
        None => builder.build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup<'a>(said: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = said.iter().find(|(said, _)| *said == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    #[test]
    fn an_endpoint_alone_switches_it_on() {
        let traces = (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://127.0.0.1:1/v1/traces",
        );
        assert!(is_asked_for(&lookup(&[ENDPOINT])));
        assert!(is_asked_for(&lookup(&[traces])));
        assert!(!is_asked_for(&lookup(&[])));
        assert!(!is_asked_for(&lookup(&[(ENDPOINT.0, " ")])));
        assert!(!is_asked_for(&lookup(&[("OTEL_SERVICE_NAME", "x")])));
    }

    #[test]
    fn it_can_be_switched_off_by_name() {
        let off = ("OTEL_SDK_DISABLED", "TRUE");
        let none = ("OTEL_TRACES_EXPORTER", "none");
        assert!(!is_asked_for(&lookup(&[ENDPOINT, off])));
        assert!(!is_asked_for(&lookup(&[ENDPOINT, none])));
        let on = ("OTEL_SDK_DISABLED", "false");
        assert!(is_asked_for(&lookup(&[ENDPOINT, on])));
    }

    #[test]
    fn another_protocol_is_noticed() {
        let asks =
            |protocol| foreign_protocol(&lookup(&[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]));
        assert_eq!(asks("grpc").as_deref(), Some("grpc"));
        assert_eq!(asks("http/protobuf"), None);
        assert_eq!(foreign_protocol(&lookup(&[])), None);
    }

    #[test]
    fn a_name_is_taken_over() {
        let named = |said: &[(&str, &str)]| {
            let resource = resource(&lookup(said));
            let name = resource.get(&"service.name".into()).unwrap();
            name.to_string()
        };
        assert_eq!(named(&[("OTEL_SERVICE_NAME", "mail")]), "mail");
        assert_eq!(named(&[]), SERVICE_NAME);
    }
}
