//! `slate claim` and `slate release`: leases for scripts that cannot wrap a command.

use super::{Context, lock::held};
use crate::{
    args::{Claim, Release},
    failure::{Failure, Status},
    print::printable,
    units,
};
use serde::Serialize;
use slateboard::PutOptions;
use std::time::Duration;

/// The time to live of a claim that no session keeps.
const TTL: Duration = Duration::from_secs(60);

/// `claim --json`.
#[derive(Serialize)]
struct ClaimDoc<'a> {
    key: &'a str,
    /// The key of the claim's own entry.
    claim_key: &'a str,
    token: u64,
    /// Milliseconds until it expires, unless it is renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    /// The session that the claim ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

/// `release --json`.
#[derive(Serialize)]
struct ReleaseDoc<'a> {
    key: &'a str,
    released: bool,
}

pub(crate) fn run(context: &Context, args: &Claim) -> Result<Status, Failure> {
    let session = context.session()?;
    let host = session.host();
    let mut options = PutOptions::new().ephemeral(host.is_some());
    options.ttl = args.ttl.or(if host.is_some() { None } else { Some(TTL) });
    let claim = match (&args.key, &args.next) {
        (Some(key), _) => session.claim(key, options).map_err(|error| held(error, &session))?,
        (None, next) => {
            let prefix = next.as_deref().unwrap_or_default();
            session.claim_next(prefix, options)?.ok_or_else(|| {
                let text =
                    format!("no free task: each key with the prefix {prefix:?} is claimed, or there is none");
                Failure::new(Status::NoKey, text)
            })?
        }
    };
    if context.globals.json {
        context.out.document(&ClaimDoc {
            key: &claim.key,
            claim_key: &claim.claim_key,
            token: claim.token,
            ttl_ms: options.ttl.map(units::millis),
            session: host.map(|host| host.to_string()),
        })?;
    } else if args.key.is_some() {
        context.out.line(claim.token.to_string())?;
    } else {
        context.out.line(format!("{} {}", claim.token, printable(&claim.key)))?;
    }
    Ok(Status::Done)
}

pub(crate) fn release(context: &Context, args: &Release) -> Result<Status, Failure> {
    let session = context.session()?;
    if args.token.is_none() && session.host().is_none() {
        return Err(Failure::usage(
            "--token is required: the number that `slate claim` printed. Only inside `slate run` it may be left out",
        ));
    }
    if !session.release_claim(&args.key, args.token).map_err(|error| held(error, &session))? {
        let text =
            format!("key {:?} is not claimed; the claim may have ended with its time to live", args.key);
        return Err(Failure::new(Status::NoKey, text).on_key(&args.key));
    }
    match (context.globals.quiet, context.globals.json) {
        (true, _) => {}
        (false, true) => context.out.document(&ReleaseDoc { key: &args.key, released: true })?,
        (false, false) => context.out.line(format!("released {}", printable(&args.key)))?,
    }
    Ok(Status::Done)
}
