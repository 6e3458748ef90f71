//! The statements of the hot path. Each is one round trip and one commit, its counts included.
//!
//! All of them go through their rows in order of id, as they are sent, and touch tables in the order keys, tasks,
//! attempts, counts, so that no two of them can wait for each other. Tasks are found by their
//! primary key alone: a condition that an index predicate follows from would be planned as a walk
//! over that index (see `plans`).
//!
//! Those that write return one row: whether all was written, else the ids of what was.

use super::row::{claimed_columns, columns, of_most};
use super::{line, members, next, sweep};

/// Changes of counts from rows `(queue, was, state)` in a CTE named `moved`; the shard is `$1`.
/// Rows are brought together before each becomes a minus and a plus.
macro_rules! count {
    () => {
        "INSERT INTO tareas.counts (shard, queue, state, n) \
         SELECT $1::int4, c.queue, c.state, sum(c.n) FROM ( \
             SELECT queue, was, state, count(*) AS n FROM moved GROUP BY queue, was, state) m, \
           LATERAL (VALUES (m.queue, m.was, -m.n), (m.queue, m.state, m.n)) c(queue, state, n) \
         WHERE c.state IS NOT NULL \
         GROUP BY c.queue, c.state HAVING sum(c.n) <> 0 ORDER BY c.queue, c.state \
         ON CONFLICT (shard, queue, state) DO UPDATE SET n = counts.n + excluded.n"
    };
}

/// The lines that tasks enter by this statement, `$4`.
macro_rules! entered {
    () => {
        "entered AS (INSERT INTO tareas.lines \
             (entry, queue, priority, place, last_place, ids, first_id, last_id) \
           SELECT $4::uuid, e.queue, e.priority, e.place, e.last_place, e.ids, e.first_id, \
             e.last_id \
           FROM unnest($5::tareas.new_line[]) AS e), "
    };
}

/// Whether as many rows are in this CTE as there are in `$2`, and which when there are fewer: as
/// one array, or NULL.
macro_rules! told {
    ($of:literal) => {
        concat!(
            "SELECT m.n = cardinality($2), CASE WHEN m.n < cardinality($2) \
               THEN (SELECT array_agg(id) FROM ",
            $of,
            ") END FROM (SELECT count(*) AS n FROM ",
            $of,
            ") m"
        )
    };
}

/// New tasks out of `d`.
macro_rules! insert {
    () => {
        "INSERT INTO tareas.tasks (id, version, state, queue, kind, priority, place, due_at, \
           submitted_at, expires_at, timeout_us, origin, payload_blob, options, payload) \
         SELECT d.id, 1, d.state, d.queue, d.kind, d.priority, d.place, d.due_at, \
           d.submitted_at, d.expires_at, d.timeout_us, $3::uuid, d.payload_blob, d.options, \
           d.payload FROM "
    };
}

macro_rules! inserted {
    () => {
        concat!(
            " RETURNING id, queue, NULL::int2 AS was, state), ",
            entered!(),
            "counted AS (",
            count!(),
            ") "
        )
    };
}

/// T1, when this server has made the ids of all of them just now: a task that is there already is
/// an error. Spares the look of [`INSERT`], and its second record of the log; and since it writes
/// all or nothing, the counts come with it, `$6`.
pub(super) const INSERT_FRESH: &str = concat!(
    "WITH ",
    entered!(),
    "counted AS (INSERT INTO tareas.counts (shard, queue, state, n) \
       SELECT $1::int4, c.queue, c.state, c.n FROM unnest($6::tareas.new_count[]) AS c \
       ORDER BY c.queue, c.state \
       ON CONFLICT (shard, queue, state) DO UPDATE SET n = counts.n + excluded.n) ",
    insert!(),
    "unnest($2::tareas.new_task[]) AS d"
);

/// T1, when no task of them has an idempotency key. Tells which were new.
pub(super) const INSERT: &str = concat!(
    "WITH moved AS (",
    insert!(),
    "unnest($2::tareas.new_task[]) AS d ON CONFLICT DO NOTHING",
    inserted!(),
    told!("moved")
);

/// T1 with keys: a task is new when its key is, too. Tells which were new.
pub(super) const INSERT_KEYED: &str = concat!(
    "WITH d AS MATERIALIZED (SELECT * FROM unnest($2::tareas.new_task[])), \
     k AS (INSERT INTO tareas.keys (key, id) SELECT d.key, d.id FROM d \
       WHERE d.key IS NOT NULL ORDER BY d.key ON CONFLICT DO NOTHING RETURNING id), \
     moved AS (",
    insert!(),
    "d WHERE d.key IS NULL OR d.id IN (SELECT id FROM k) ORDER BY d.id ON CONFLICT DO NOTHING",
    inserted!(),
    told!("moved")
);

/// Those of these sessions that were closed: somebody has declared their process gone.
macro_rules! closed_sessions {
    ($of:literal) => {
        concat!(
            "SELECT s.session_id FROM tareas.sessions s \
             WHERE s.state = 1 AND s.session_id = ANY (",
            $of,
            "::uuid[])"
        )
    };
}

/// Tasks `t` that an array names and of which `o` this holds. `OFFSET 0` has them looked up one by
/// one, in order, whatever a planner believes of how many there are.
macro_rules! named {
    ($ids:literal, $holds:literal) => {
        concat!(
            "unnest(",
            $ids,
            ") AS i(id) CROSS JOIN LATERAL \
             (SELECT * FROM tareas.tasks o WHERE o.id = i.id AND ",
            $holds,
            " OFFSET 0) t"
        )
    };
}
pub(super) use named;

/// Tasks `t` that the session of a row `c` of `claims` holds.
macro_rules! held {
    () => {
        concat!(
            "tareas.claims c CROSS JOIN LATERAL ",
            super::statements::named!("c.ids", "o.session_id = c.session_id")
        )
    };
}
pub(super) use held;

/// T3, when nothing speaks against it, out of what this joins and for whom this holds; notes what is
/// claimed, and forgets claims of which all has ended, `$6`. What it does not find is loaded and
/// decided by core, which also makes the tasks that it answers with: it carries out the plain case
/// only.
macro_rules! claim {
    ($session:literal, $token:literal, $at:literal, $of:expr, $noted:expr) => {
        concat!(
            "WITH claimed AS (UPDATE tareas.tasks t SET version = t.version + 1, state = 2, \
               place = NULL, held_place = t.place, attempt = t.attempt + 1, expires_at = NULL, \
               session_id = ",
            $session,
            ", token = ",
            $token,
            ", started_at = ",
            $at,
            ", deadline_at = ",
            $at,
            " + coalesce(t.timeout_us, $4::int8) * interval '1 microsecond' ",
            $of,
            " AND t.state = 1 AND (t.expires_at IS NULL OR t.expires_at > ",
            $at,
            ") AND t.queue <> ALL (ARRAY(SELECT q.name FROM tareas.queues q WHERE q.paused)) \
             RETURNING ",
            claimed_columns!(),
            "), noted AS (INSERT INTO tareas.claims (claim, session_id, ids) ",
            $noted,
            "), forgotten AS (DELETE FROM tareas.claims WHERE claim = ANY ($6::uuid[])), \
             moved AS (SELECT queue, 1::int2 AS was, 2::int2 AS state FROM claimed), \
             counted AS (",
            count!(),
            ") SELECT * FROM claimed"
        )
    };
}

/// T3 of any tasks.
pub(super) const CLAIM: &str = claim!(
    "d.session_id",
    "d.token",
    "d.claimed_at",
    concat!(
        "FROM unnest($2::tareas.new_claim[]) AS d \
         WHERE t.id = d.id AND t.attempt = d.attempt AND d.session_id <> ALL (ARRAY(",
        closed_sessions!("$3"),
        "))"
    ),
    "SELECT $5::uuid, h.session_id, h.ids FROM unnest($7::tareas.new_hold[]) AS h"
);

/// T3 of tasks that one session claims at one instant, all for the same attempt and without a
/// token, as the pool of a node does: with nothing to say of each but its id, for three quarters of the work.
pub(super) const CLAIM_ALIKE: &str = claim!(
    "$3::uuid",
    "NULL",
    "$7::timestamptz",
    concat!(
        "WHERE t.id = ANY ($2::uuid[]) AND t.attempt = $8::int8 AND NOT EXISTS (",
        closed_sessions!("ARRAY[$3]"),
        ")"
    ),
    "SELECT $5::uuid, $3::uuid, $2"
);

/// Every other transition: the images that core decided, each onto the version and the state that
/// it was decided on (an id that was removed and sent again begins with version 1 again); claims
/// only for sessions that are open. Tells which still had it.
pub(super) const REPLACE: &str = concat!(
    "WITH moved AS (UPDATE tareas.tasks t SET version = t.version + 1, state = d.state, \
       reason = d.reason, place = d.place, due_at = d.due_at, session_id = d.session_id, \
       held_place = d.held_place, token = d.token, attempt = d.attempt, charged = d.charged, \
       crashes = d.crashes, cancel_requested = d.cancel_requested, started_at = d.started_at, \
       finished_at = d.finished_at, deadline_at = d.deadline_at, expires_at = d.expires_at, \
       prune_at = d.prune_at, result_blob = d.result_blob, error = d.error, result = d.result \
     FROM unnest($2::tareas.new_image[]) AS d \
     WHERE t.id = d.id AND t.version = d.version AND t.state = d.was \
       AND (d.was <> 1 OR d.session_id IS NULL OR d.session_id <> ALL (ARRAY(",
    closed_sessions!("$3"),
    "))) RETURNING t.id, t.queue, d.was, d.state, t.session_id, \
       d.ended_attempt, d.ended_start, d.ended_at, d.ended_outcome, d.ended_error), \
     noted AS (INSERT INTO tareas.claims (claim, session_id, ids) \
       SELECT $4::uuid, session_id, array_agg(id) FROM moved \
       WHERE was <> 2 AND state = 2 GROUP BY session_id), \
     ",
    entered!(),
    "ended AS (INSERT INTO tareas.attempts \
         (task_id, attempt, started_at, ended_at, outcome, error) \
       SELECT id, ended_attempt, ended_start, ended_at, ended_outcome, ended_error FROM moved \
       WHERE ended_attempt IS NOT NULL ORDER BY id ON CONFLICT DO NOTHING), \
     counted AS (",
    count!(),
    ") ",
    told!("moved")
);

/// T4: the plain end of an attempt. Core changes nothing else of a task that succeeds, and the
/// version says that the rest is as it was decided on.
pub(super) const SUCCEED: &str = concat!(
    "WITH moved AS (UPDATE tareas.tasks t SET version = t.version + 1, state = 3, \
       session_id = NULL, held_place = NULL, deadline_at = NULL, finished_at = d.finished_at, \
       prune_at = d.prune_at, error = NULL, result_blob = d.result_blob, result = d.result \
     FROM unnest($2::tareas.new_success[]) AS d \
     WHERE t.id = d.id AND t.version = d.version AND t.state = 2 \
     RETURNING t.id, t.queue, 2::int2 AS was, t.state), \
     counted AS (",
    count!(),
    ") ",
    told!("moved")
);

/// T13, T14: the task with all that belongs to it. Tells
/// which were removed.
pub(super) const REMOVE: &str = concat!(
    "WITH removed AS (DELETE FROM tareas.tasks t USING unnest($2::uuid[], $3::int8[], $6::int2[]) \
       AS d(id, version, was) WHERE t.id = d.id AND t.version = d.version AND t.state = d.was \
       RETURNING t.id, t.queue, t.state), \
     keys AS (DELETE FROM tareas.keys k USING unnest($4::bytea[], $5::uuid[]) AS d(key, id) \
       WHERE k.key = d.key AND k.id = d.id AND d.id = ANY (ARRAY(SELECT id FROM removed))), \
     endings AS (DELETE FROM tareas.attempts a USING removed WHERE a.task_id = removed.id), \
     moved AS MATERIALIZED (SELECT queue, state AS was, NULL::int2 AS state FROM removed), \
     counted AS (",
    count!(),
    ") ",
    told!("removed")
);

/// Tasks by id.
pub(super) const LOAD: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM unnest($1::uuid[]) AS d(id) JOIN tareas.tasks t ON t.id = d.id"
);

/// Tasks by id, held until the end of the transaction; those that somebody else holds are left
/// out.
pub(super) const LOCK: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM unnest($1::uuid[]) AS d(id) JOIN tareas.tasks t ON t.id = d.id \
     FOR UPDATE OF t SKIP LOCKED"
);

/// Who has these keys.
pub(super) const KEYS: &str = "SELECT k.key, k.id FROM unnest($1::bytea[]) AS d(key) \
    JOIN tareas.keys k ON k.key = d.key";

/// Frees keys that no task has: left behind by two submissions of one id that met.
pub(super) const FREE_KEYS: &str = "DELETE FROM tareas.keys k \
    USING unnest($1::bytea[], $2::uuid[]) AS d(key, id) WHERE k.key = d.key AND k.id = d.id";

/// Queues from which nothing is claimed.
pub(super) const PAUSED: &str = "SELECT name FROM tareas.queues WHERE paused";

/// Those of these sessions that were closed.
pub(super) const CLOSED: &str = closed_sessions!("$1");

/// The hints of a lane that the first `$5` rows of its line tell of, in order, up to where the next
/// row begins; with that place, and without a hint where there is none.
pub(super) const READY: &str = concat!(
    "WITH w AS MATERIALIZED (SELECT l.place, l.ids, \
      row_number() OVER (ORDER BY l.place, l.entry) AS number FROM tareas.lines l \
      WHERE l.queue = $1 AND l.priority = $2 AND l.last_place > $3 \
      ORDER BY l.place, l.entry LIMIT $5::int8 + 1), \
    e AS MATERIALIZED (SELECT min(w.place) AS place FROM w WHERE w.number > $5), \
    h AS (SELECT DISTINCT t.place, t.id, t.attempt, t.crashes > 0 AS suspect \
      FROM w CROSS JOIN e CROSS JOIN LATERAL ",
    named!(
        "w.ids",
        "o.queue = $1 AND o.priority = $2 AND o.place > $3 \
         AND (e.place IS NULL OR o.place < e.place)"
    ),
    " WHERE w.number <= $5 ORDER BY t.place, t.id LIMIT $4) \
    SELECT h.id, h.attempt, h.place, h.suspect, e.place FROM e LEFT JOIN h ON true \
    ORDER BY h.place, h.id"
);

/// The statements whose plans must go by the primary key of `tasks`, with their names and how many
/// values they take.
pub(super) const BY_ID: [(&str, &str, usize); 17] = [
    ("insert_fresh", INSERT_FRESH, 6),
    ("insert", INSERT, 5),
    ("insert_keyed", INSERT_KEYED, 5),
    ("claim", CLAIM, 7),
    ("claim_alike", CLAIM_ALIKE, 8),
    ("succeed", SUCCEED, 2),
    ("replace", REPLACE, 5),
    ("remove", REMOVE, 6),
    ("load", LOAD, 1),
    ("ready", READY, 5),
    ("next", next::NEXT, 6),
    ("forget_lines", line::FORGET, 3),
    ("thin_lines", line::THIN, 3),
    ("held_by", sweep::HELD_BY, 2),
    ("haunted", members::HAUNTED, 0),
    ("forget_claims", members::FORGET_CLAIMS, 0),
    ("forget_sessions", members::FORGET_SESSIONS, 0),
];
