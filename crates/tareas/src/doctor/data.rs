//! The data folder: there or to be made, of this machine, with room, and how fast its disk is.

use std::time::Duration;

use tareas_adapters::records::sqlite::{Survey, survey};
use tareas_protocol::Lang;

use super::{Finding, Verdict};
use crate::config::{RecordStore, ServeConfig};

/// Less room than this is told; a server refuses tasks only later.
const ROOM_MIN: u64 = 1 << 30;
/// A disk that takes longer than this makes whoever waits for acknowledgements wait.
const FSYNC_SLOW: Duration = Duration::from_millis(20);
/// Names of file systems, by the number that the kernel gives them.
const KINDS: [(i64, &str); 8] = [
    (0xEF53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683E, "btrfs"),
    (0x2FC1_2FC1, "zfs"),
    (0x794C_7630, "overlay"),
    (0x0102_1994, "tmpfs"),
    (0xF2F5_2010, "f2fs"),
    (0x1A, "apfs"),
];
/// What is in memory is gone with the machine.
const TMPFS: i64 = 0x0102_1994;

pub(super) fn look(config: &ServeConfig, lang: Lang) -> Finding {
    let folder = match &config.records {
        RecordStore::Sqlite(folder) => folder,
        _ => &config.data,
    };
    match survey(folder) {
        Ok(survey) => judge(&survey, folder.display(), lang),
        Err(error) => Finding::failed(
            format!("{}: {error}", folder.display()),
            lang.pick(
                "make it writable for this account, or choose another with --data",
                "permita que esta cuenta escriba en ella, o elija otra con --data",
            ),
        ),
    }
}

fn judge(survey: &Survey, folder: impl std::fmt::Display, lang: Lang) -> Finding {
    let state = match (survey.exists, survey.is_in_use) {
        (_, true) => lang.pick("in use by a server", "en uso por un servidor"),
        (true, false) => lang.pick("not in use", "sin uso"),
        (false, false) => lang.pick("will be made", "se creará"),
    };
    let known = KINDS.iter().find(|(number, _)| *number == survey.kind);
    let kind = survey.remote.or(known.map(|(_, name)| *name));
    let found = format!(
        "{folder}: {state}, {}, {:.1} / {:.1} GB, fsync {:.1} ms",
        kind.unwrap_or("?"),
        gigabytes(survey.free),
        gigabytes(survey.total),
        survey.fsync.as_secs_f64() * 1e3,
    );
    let (verdict, remedy) = verdict(survey, lang);
    Finding {
        verdict,
        found,
        remedy: remedy.map(str::to_owned),
    }
}

fn verdict(survey: &Survey, lang: Lang) -> (Verdict, Option<&'static str>) {
    let (verdict, en, es) = if survey.remote.is_some() {
        (
            Verdict::Failed,
            "it is on another machine, where locks cannot be trusted: choose a local folder",
            "está en otra máquina, donde no se puede confiar en los cerrojos: elija una local",
        )
    } else if survey.free < ROOM_MIN {
        (
            Verdict::Warning,
            "less than 1 GB is free: make room before tasks are refused",
            "queda menos de 1 GB: haga sitio antes de que se rechacen tareas",
        )
    } else if survey.kind == TMPFS {
        (
            Verdict::Warning,
            "it is in memory: tasks do not survive the machine",
            "está en memoria: las tareas no sobreviven a la máquina",
        )
    } else if survey.fsync > FSYNC_SLOW {
        (
            Verdict::Warning,
            "the disk is slow: each acknowledgement waits for it",
            "el disco es lento: cada confirmación lo espera",
        )
    } else {
        return (Verdict::Fine, None);
    };
    (verdict, Some(lang.pick(en, es)))
}

fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_is_told_with_a_way_out() {
        let fine = Survey {
            at: "/".into(),
            exists: true,
            is_in_use: false,
            remote: None,
            kind: 0xEF53,
            free: 1 << 40,
            total: 1 << 41,
            fsync: Duration::from_millis(1),
        };
        let table = [
            (fine.clone(), Verdict::Fine, "ext4"),
            (
                Survey {
                    remote: Some("NFS"),
                    ..fine.clone()
                },
                Verdict::Failed,
                "NFS",
            ),
            (
                Survey {
                    free: 1 << 20,
                    ..fine.clone()
                },
                Verdict::Warning,
                "0.0 /",
            ),
            (
                Survey {
                    kind: TMPFS,
                    ..fine.clone()
                },
                Verdict::Warning,
                "tmpfs",
            ),
            (
                Survey {
                    fsync: Duration::from_secs(1),
                    ..fine.clone()
                },
                Verdict::Warning,
                "1000.0 ms",
            ),
            (
                Survey {
                    is_in_use: true,
                    ..fine
                },
                Verdict::Fine,
                "in use by a server",
            ),
        ];
        for (survey, verdict, part) in table {
            let finding = judge(&survey, "/data", Lang::En);
            assert_eq!(finding.verdict, verdict, "{finding:?}");
            assert!(finding.found.contains(part), "{finding:?}");
            assert_eq!(finding.remedy.is_some(), verdict != Verdict::Fine);
        }
    }
}
