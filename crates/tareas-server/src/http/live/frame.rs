//! One frame: a view as it is now, ready to be sent, and what of it differs from the frame before.

use bytes::Bytes;
use tareas_protocol::json::append_string;

/// What a view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Parts of a page: the id of an element and its markup.
    Parts(Vec<(&'static str, String)>),
    /// One JSON text.
    Json(String),
}

/// A frame of one view in one language.
#[derive(Debug)]
pub(super) struct Frame {
    /// Grows by one from frame to frame.
    pub(super) number: u64,
    content: Content,
    /// Everything, as an event.
    pub(super) whole: Bytes,
    /// What differs from the frame before, as an event.
    pub(super) patch: Bytes,
}

impl Frame {
    /// The frame after `before`; `None` when nothing has changed. A channel that was left alone
    /// has none before: it begins anew at `first`, which none of its frames has had.
    pub(super) fn after(
        before: Option<&Self>,
        boot: i64,
        first: u64,
        content: Content,
    ) -> Option<Self> {
        if before.is_some_and(|before| before.content == content) {
            return None;
        }
        let number = before.map_or(first, |before| before.number + 1);
        let id = format!("{boot:x}-{number}");
        let (whole, patch) = match &content {
            Content::Json(json) => {
                let all = event(&id, "system", json);
                (all.clone(), all)
            }
            Content::Parts(parts) => {
                let old = before.map(|before| &before.content);
                let changed = parts.iter().filter(|part| !is_in(old, part));
                (
                    event(&id, "patch", &object(parts.iter())),
                    event(&id, "patch", &object(changed)),
                )
            }
        };
        Some(Self {
            number,
            content,
            whole,
            patch,
        })
    }
}

fn is_in(old: Option<&Content>, part: &(&'static str, String)) -> bool {
    matches!(old, Some(Content::Parts(old)) if old.contains(part))
}

fn object<'a>(parts: impl Iterator<Item = &'a (&'static str, String)>) -> String {
    let mut out = b"{".to_vec();
    for (index, (id, markup)) in parts.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_string(&mut out, id);
        out.push(b':');
        append_string(&mut out, markup);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

/// JSON has no newline outside of its strings and none inside that is not escaped, so one `data`
/// line holds all of it.
fn event(id: &str, name: &str, json: &str) -> Bytes {
    Bytes::from(format!("id: {id}\nevent: {name}\ndata: {json}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(health: &str, map: &str) -> Content {
        Content::Parts(vec![("health", health.to_owned()), ("map", map.to_owned())])
    }

    #[test]
    fn a_patch_holds_what_differs_and_the_whole_everything() {
        let first = Frame::after(None, 7, 1, parts("a\n", "<b>")).unwrap();
        assert_eq!(first.whole, first.patch);
        assert!(Frame::after(Some(&first), 7, 1, parts("a\n", "<b>")).is_none());
        let second = Frame::after(Some(&first), 7, 1, parts("a\n", "<c>")).unwrap();
        assert_eq!(second.number, first.number + 1);
        let number = second.number;
        let patch = format!("id: 7-{number}\nevent: patch\ndata: {{\"map\":\"<c>\"}}\n\n");
        assert_eq!(second.patch, patch);
        let whole = String::from_utf8(second.whole.to_vec()).unwrap();
        assert!(whole.contains("data: {\"health\":\"a\\n\",\"map\":\"<c>\"}\n\n"));
        assert_eq!(
            whole.matches('\n').count(),
            4,
            "three lines and an empty one"
        );
    }
}
