//! `slate put`.

use super::{Context, input, put_many};
use crate::{
    args::{CodecArg, Put},
    failure::{Failure, Status},
};
use slateboard::{CodecId, Expect, PutOptions};

pub(crate) fn run(context: &Context, args: &Put) -> Result<Status, Failure> {
    if args.ephemeral && context.host()?.is_none() {
        return Err(Failure::usage(
            "--ephemeral: the key would be removed immediately, because an ephemeral key ends with the session \
             that wrote it, and the session of this command ends with the command; use --ttl, or run the command inside \
             `slate run`, whose session lasts longer",
        ));
    }
    let (Some(key), Some(value)) = (&args.key, &args.value) else { return put_many::run(context, args) };
    let board = context.board()?;
    let value = input::value(value, board.reader().value_max())?;
    let codec = codec_of(args.codec, &value)?;
    let mut options = PutOptions::new().expect(expectation(args)).codec(codec).ephemeral(args.ephemeral);
    options.ttl = args.ttl;
    let receipt = context.attach(&board)?.put_with(key, &value, options)?;
    context.out.receipt(key, &receipt)?;
    Ok(Status::Done)
}

/// What the options say about the entry that the key must have.
pub(super) fn expectation(args: &Put) -> Expect {
    match (args.if_version, args.if_absent) {
        (Some(version), _) => Expect::Version(version),
        (None, true) => Expect::Absent,
        (None, false) => Expect::Any,
    }
}

/// The codec that the option names, or the default one.
pub(super) fn codec_of(argument: Option<CodecArg>, value: &[u8]) -> Result<CodecId, Failure> {
    let codec = match argument {
        None => return Ok(input::plain_codec(value)),
        Some(CodecArg::Raw) => CodecId::RAW,
        Some(CodecArg::Utf8) => CodecId::UTF8,
        Some(CodecArg::Json) => CodecId::JSON,
    };
    input::suits(codec, value)
        .map_err(|why| Failure::usage(format!("--codec {codec}: the value is {why}")))
        .map(|()| codec)
}
