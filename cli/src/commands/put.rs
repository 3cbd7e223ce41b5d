//! `slate put`.

use super::{Context, input};
use crate::{
    args::{CodecArg, Put},
    failure::{Failure, Status},
};
use slateboard::{Expect, PutOptions, codec};

pub(crate) fn run(context: &Context, args: &Put) -> Result<Status, Failure> {
    if args.ephemeral {
        return Err(Failure::usage(
            "--ephemeral: the key would be removed at once, because it lives as long as the session that wrote \
             it and this command's session ends with the command; use --ttl, or hold a session in a program of \
             your own",
        ));
    }
    let board = context.board()?;
    let value = input::value(&args.value, board.reader().value_max())?;
    let codec = codec_of(args.codec, &value)?;
    let expect = match (args.if_version, args.if_absent) {
        (Some(version), _) => Expect::Version(version),
        (None, true) => Expect::Absent,
        (None, false) => Expect::Any,
    };
    let options = PutOptions { expect, ttl: args.ttl, codec, ..PutOptions::default() };
    let receipt = context.attach(&board)?.put_with(&args.key, &value, options)?;
    context.out.receipt(&args.key, &receipt)?;
    Ok(Status::Done)
}

fn codec_of(argument: Option<CodecArg>, value: &[u8]) -> Result<u8, Failure> {
    let (codec, name) = match argument {
        None => return Ok(input::plain_codec(value)),
        Some(CodecArg::Raw) => return Ok(codec::RAW),
        Some(CodecArg::Utf8) => (codec::UTF8, "utf8"),
        Some(CodecArg::Json) => (codec::JSON, "json"),
    };
    input::suits(codec, value)
        .map_err(|why| Failure::usage(format!("--codec {name}: the value is {why}")))
        .map(|()| codec)
}
