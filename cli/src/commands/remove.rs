//! `slate rm`.

use super::Context;
use crate::{
    args::Rm,
    failure::{Failure, Status},
};
use slateboard::Expect;

pub(crate) fn run(context: &Context, args: &Rm) -> Result<Status, Failure> {
    let expect = args.if_version.map_or(Expect::Any, Expect::Version);
    let removed = context.session()?.remove_if(&args.key, expect)?;
    let receipt = removed.ok_or_else(|| Failure::no_key(&args.key))?;
    context.out.receipt(&args.key, &receipt)?;
    Ok(Status::Done)
}
