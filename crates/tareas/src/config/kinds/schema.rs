//! The schema of a kind: payloads that do not fit are refused when they are submitted.

use std::fmt;

use jsonschema::Validator;
use serde_json::Value;
use tareas_engine::{PayloadCheck, PayloadFault};

/// Most characters of what is said of a payload, which the message repeats in part.
const MESSAGE_CHARS_MAX: usize = 300;

/// A compiled JSON Schema.
pub(super) struct Schema {
    validator: Validator,
    text: String,
}

impl Schema {
    /// Compiles a schema. It cannot refer to anything outside itself.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn compile(schema: &Value) -> Result<Self, String> {
        let compiled = jsonschema::validator_for(schema).map_err(|error| error.to_string());
        let text = schema.to_string();
        compiled.map(|validator| Self { validator, text })
    }
}

impl PayloadCheck for Schema {
    fn check(&self, payload: &[u8]) -> Result<(), PayloadFault> {
        let fault = |pointer: String, message: String| PayloadFault {
            pointer,
            message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
        };
        let payload: Value = serde_json::from_slice(payload)
            .map_err(|error| fault(String::new(), error.to_string()))?;
        self.validator.validate(&payload).map_err(|error| {
            let pointer = error.instance_path().to_string();
            fault(pointer, error.to_string())
        })
    }

    fn schema(&self) -> Option<&str> {
        Some(&self.text)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_is_pointed_at() {
        let schema = json!({"type": "object", "properties": {"width": {"type": "integer"}}});
        let schema = Schema::compile(&schema).unwrap();
        assert_eq!(schema.check(br#"{"width":4}"#), Ok(()));
        let fault = schema.check(br#"{"width":"x"}"#).unwrap_err();
        assert_eq!(fault.pointer, "/width");
        assert!(fault.message.contains("integer"), "{}", fault.message);
        assert_eq!(schema.check(b"5").unwrap_err().pointer, "");
    }

    #[test]
    fn a_schema_that_is_none_or_lives_elsewhere_is_refused() {
        assert!(Schema::compile(&json!({"type": 5})).is_err());
        assert!(Schema::compile(&json!({"$ref": "http://127.0.0.1:1/x.json"})).is_err());
    }
}
