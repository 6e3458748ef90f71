//! Access control: who may do what, decided in one place.
//!
//! [`authorize`] is the only judge. It is a pure function of a [`Principal`] (who asks), an
//! [`Action`] (what is asked) and an [`Object`] (about what), and what it does not know it
//! refuses. Every command of the lines and every route of HTTP names its action; the table of all
//! of them is in `docs/access.md` and is compared with what this code says.
//!
//! | file | what it holds |
//! |---|---|
//! | `role`, `scope`, `network`, `credential` | what a token says of its bearer |
//! | `secret` | what a token looks like, and how its secret is compared |
//! | `action`, `authorize` | the rules |
//! | `failures` | how often an address may be wrong |
//! | `keeper`, `known` | the tokens that are valid now, and when one stops to be |
//! | `issue` | tokens, links and sessions are made and taken back |
//! | `audit` | what is written down of who did what |
//!
//! Where access control is off, [`Principal::everyone`] asks, and may do everything.

mod action;
mod audit;
mod authorize;
mod credential;
mod failures;
mod issue;
mod keeper;
mod known;
mod network;
mod principal;
mod role;
mod scope;
mod secret;

pub use action::{Action, Reach};
pub use audit::{AuditEntry, Deed};
pub use authorize::{Object, Verdict, authorize, rules};
pub use credential::{Credential, CredentialKind, Wanted};
pub use failures::Failures;
pub use keeper::{Access, AccessKeeper, Denied, Limits, REFRESH_EVERY};
pub use network::{Network, Networks, NotNetwork};
pub use principal::Principal;
pub use role::{NotRole, Role, Roles};
pub use scope::{NotPattern, QueueScope};
pub use secret::{CHANCE, Chances, CredentialId, NotCredentialId, Sealed, TokenText};
