//! The kinds that are commands, as they come and go with the configuration.
//!
//! A command whose definition stays the same stays itself, processes included; one that changes
//! or goes is retired: what runs goes on as it began.

use std::collections::BTreeMap;
use std::sync::{Arc, Once};

use tareas_core::Kind;
use tareas_engine::{Engine, KindRules, Kinds};
use tareas_worker::command::{Command, Launcher, SandboxSupport};
use tareas_worker::{Context, KindInfo, Registry};

use crate::config::CommandKind;

/// The first argument that makes this program a supervisor of a command.
pub(crate) const RUN_COMMAND: &str = "run-command";

/// What this process can run.
#[derive(Debug, Default)]
pub(super) struct Commands {
    current: BTreeMap<Kind, Arc<Command>>,
}

impl Commands {
    /// Exchanges the commands for these: `exchange` is given the registry, and the engine is
    /// told of the rules. In an order in which no task is accepted that nothing can run.
    pub(super) fn install(
        &mut self,
        commands: &[CommandKind],
        engine: &Engine,
        exchange: impl FnOnce(Arc<Registry>),
    ) {
        warn_of_sandboxes(commands);
        let mut next = BTreeMap::new();
        for command in commands {
            next.insert(command.kind.clone(), self.keep_or_make(command));
        }
        let mut registry = built_in();
        for (kind, command) in &next {
            register(&mut registry, kind, command);
        }
        let registry = Arc::new(registry);
        let before = std::mem::replace(&mut self.current, next);
        for kind in before.keys() {
            if registry.kind(kind.as_str()).is_none() {
                engine.kinds().withdraw(kind);
            }
        }
        exchange(Arc::clone(&registry));
        for info in registry.kinds() {
            tell(info, commands, engine.kinds());
        }
        let own = registry.kinds();
        engine.announce_own(own.iter().filter_map(|info| Kind::new(&info.name).ok()));
        self.retire(before);
    }

    /// Ends what is not a current command any more.
    fn retire(&self, before: BTreeMap<Kind, Arc<Command>>) {
        for (kind, command) in before {
            let now = self.current.get(&kind);
            if !now.is_some_and(|now| Arc::ptr_eq(now, &command)) {
                command.retire();
            }
        }
    }

    fn keep_or_make(&self, command: &CommandKind) -> Arc<Command> {
        let current = self.current.get(&command.kind);
        let same = current.filter(|current| *current.definition() == command.definition);
        same.cloned().unwrap_or_else(|| {
            let launcher = Launcher::this_program(RUN_COMMAND);
            Arc::new(Command::new(command.definition.clone(), launcher))
        })
    }
}

/// What a process that is given tasks by a server can run: the built-in kinds and these commands.
pub(crate) fn registry_with(commands: &[CommandKind]) -> Registry {
    warn_of_sandboxes(commands);
    let mut registry = built_in();
    for command in commands {
        let launcher = Launcher::this_program(RUN_COMMAND);
        let runs = Arc::new(Command::new(command.definition.clone(), launcher));
        register(&mut registry, &command.kind, &runs);
    }
    registry
}

/// Says once what the kernel does not keep, if somebody has asked for it.
fn warn_of_sandboxes(commands: &[CommandKind]) {
    static ONCE: Once = Once::new();
    let support = SandboxSupport::here();
    let lacking = commands
        .iter()
        .find(|command| command.wants_more_than(support));
    if let Some(command) = lacking {
        ONCE.call_once(|| {
            tracing::warn!(kind = %command.kind, ?support, "this kernel cannot keep the whole sandbox");
        });
    }
}

fn register(registry: &mut Registry, kind: &Kind, command: &Arc<Command>) {
    let command = Arc::clone(command);
    registry.register_raw(kind.as_str(), move |context: &Context, payload| {
        command.run(context, &payload)
    });
}

/// Tells the engine of a kind: what the configuration says of a command, or what a built-in
/// says of itself.
fn tell(info: &KindInfo, commands: &[CommandKind], kinds: &Kinds) {
    let Ok(kind) = Kind::new(&info.name) else {
        return;
    };
    let command = commands.iter().find(|command| command.kind == kind);
    let rules = match command {
        Some(command) => command.rules.clone(),
        None => KindRules {
            description: [info.description.clone(), info.description_es.clone()],
            example: info.example_text.clone(),
            example_json: info.example_json.clone(),
            ..KindRules::default()
        },
    };
    kinds.define(kind, rules);
}

/// What every server and node can run.
pub(super) fn built_in() -> Registry {
    #[cfg_attr(
        not(feature = "failpoints"),
        expect(unused_mut, reason = "tests add to it")
    )]
    let mut registry = Registry::with_builtins();
    #[cfg(feature = "failpoints")]
    super::test_hooks::register(&mut registry);
    registry
}
