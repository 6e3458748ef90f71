//! What this kernel can keep of the sandboxes of programs.

use tareas_protocol::Lang;
use tareas_worker::command::SandboxSupport;

use super::Finding;
use crate::config::ServeConfig;

pub(super) fn look(config: &ServeConfig, lang: Lang) -> Finding {
    let support = SandboxSupport::here();
    let (en, es) = match support {
        SandboxSupport::Full => (
            "programs of kinds can be confined: files, TCP and signals (Landlock)",
            "los programas de los tipos se pueden confinar: archivos, TCP y señales (Landlock)",
        ),
        SandboxSupport::Partial => (
            "programs of kinds can be confined in part (Landlock, before Linux 6.12)",
            "los programas de los tipos se pueden confinar en parte (Landlock, antes de Linux 6.12)",
        ),
        SandboxSupport::None => (
            "programs of kinds cannot be confined: this kernel has no Landlock",
            "los programas de los tipos no se pueden confinar: este núcleo no tiene Landlock",
        ),
    };
    let lacking = config
        .kinds
        .iter()
        .find(|kind| kind.wants_more_than(support));
    let Some(kind) = lacking else {
        return Finding::fine(lang.pick(en, es));
    };
    let remedy = match lang {
        Lang::En => format!(
            "kind {} asks for more; run it on a newer kernel, or as another user",
            kind.kind
        ),
        Lang::Es => format!(
            "el tipo {} pide más; ejecútelo con un núcleo más nuevo, o como otro usuario",
            kind.kind
        ),
    };
    Finding::warning(lang.pick(en, es), remedy)
}
