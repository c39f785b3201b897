//! Builds each frame of a client from its members. What the frames are: `client`; how a member is
//! read: `fields`.

use super::{
    channel::Channel,
    client::{
        ClientFrame, FrameError, FrameId, Hello, InheritFrom, Patch, ResumePoint, Run, Start,
    },
    clock::clock_move,
    code::ErrorCode,
    depth,
    fields::{Fields, Sentence, quoted},
    on_instance::{self, OnInstance},
    publish, task_notes,
};
use crate::{
    limits,
    model::ids::{ElementKey, InstanceKey},
    text::{json::in_words, spelling, without_mark},
};

/// The members of a frame, and its id.
///
/// # Errors
/// Why it cannot be read, whatever its type.
pub(super) fn read(text: &str) -> Result<(Fields<'_>, Option<FrameId>), FrameError> {
    let text = without_mark(text);
    let refuse = |code, message: String| FrameError {
        id: None,
        code,
        message,
    };
    if depth::deeper_than(text, limits::JSON_DEPTH) {
        return Err(refuse(
            ErrorCode::TooLarge,
            "expected at most 64 levels of objects and lists, but the frame has more".into(),
        ));
    }
    let fields = Fields::of_frame(text).map_err(|error| {
        refuse(
            ErrorCode::BadRequest,
            format!(
                "expected one JSON object as a text frame, but {}",
                in_words(&error)
            ),
        )
    })?;
    match fields.text("id") {
        Ok(Some(id)) if id.len() > limits::ID_BYTES => Err(refuse(
            ErrorCode::TooLarge,
            "expected 'id' to be at most 128 bytes long, but it is longer".into(),
        )),
        Ok(Some(id)) if id.is_empty() => Err(refuse(
            ErrorCode::BadRequest,
            "expected 'id' to be a string that is not empty, but it is empty".into(),
        )),
        Ok(id) => {
            let id = id.map(|id| FrameId::new(id.into_owned()));
            Ok((fields, id))
        }
        Err(sentence) => Err(refuse(ErrorCode::BadRequest, sentence)),
    }
}

/// The frame with these members.
pub(super) fn frame(fields: &Fields<'_>, id: Option<&FrameId>) -> Result<ClientFrame, Sentence> {
    let name = fields.required("type", fields.text("type")?)?;
    let id_needed = || fields.required("id", id.cloned());
    Ok(match &*name {
        "hello" => ClientFrame::Hello(hello(fields)?),
        "start" => ClientFrame::Start(start(fields, id_needed()?)?),
        "run" => ClientFrame::Run(run(fields, id_needed()?, instance(fields)?)?),
        "subscribe" => ClientFrame::Subscribe {
            id: id_needed()?,
            channel: channel(fields)?,
            after: fields.number("after")?,
            tree: fields.flag("tree")?.unwrap_or(true),
        },
        "unsubscribe" => ClientFrame::Unsubscribe {
            id: id_needed()?,
            channel: channel(fields)?,
        },
        "auth" => ClientFrame::Auth {
            id: id_needed()?,
            token: fields
                .required("token", fields.text("token")?)?
                .into_owned(),
        },
        "done" => ClientFrame::Done {
            id: id_needed()?,
            instance: instance(fields)?,
            seq: fields.required("seq", fields.number("seq")?)?,
        },
        "patch" => ClientFrame::Patch(patch(fields, id_needed()?, instance(fields)?)?),
        "publish" => ClientFrame::Publish(publish::read(fields, id_needed()?, None)?),
        "draft" => ClientFrame::Draft(task_notes::draft(fields, id_needed()?, instance(fields)?)?),
        "presence" => ClientFrame::Presence(task_notes::presence(
            fields,
            id_needed()?,
            instance(fields)?,
        )?),
        "pong" => ClientFrame::Pong,
        "clock" => ClientFrame::Clock {
            id: id_needed()?,
            to: clock_move(fields)?,
        },
        "idle" => ClientFrame::Idle { id: id_needed()? },
        other if on_instance::NAMES.contains(&other) => {
            let (id, instance) = (id_needed()?, instance(fields)?);
            let command = OnInstance::read(other, fields, instance)
                .unwrap_or_else(|| Err(unknown_type(other)))?;
            ClientFrame::OnInstance {
                id,
                instance,
                command,
            }
        }
        other => return Err(unknown_type(other)),
    })
}

/// The types of the frames that are not only commands to an instance.
const NAMES: [&str; 14] = [
    "hello",
    "start",
    "run",
    "subscribe",
    "unsubscribe",
    "auth",
    "done",
    "patch",
    "publish",
    "draft",
    "presence",
    "pong",
    "clock",
    "idle",
];

fn unknown_type(found: &str) -> Sentence {
    let known = [&NAMES[..], &on_instance::NAMES[..]].concat();
    let advice = spelling::nearest(found, known.iter().copied())
        .map_or_else(String::new, |near| format!(": write '{near}'"));
    format!(
        "expected 'type' to be one of {}, but it is {}{advice}",
        known.join(", "),
        quoted(found)
    )
}

/// The members of `hello`.
pub(super) fn hello(fields: &Fields<'_>) -> Result<Hello, Sentence> {
    let points = fields.list("resume")?;
    let resume = points.iter().map(|point| {
        let read = ResumePoint {
            instance: instance(point)?,
            after: point.required("after", point.number("after")?)?,
        };
        point.finish().map(|()| read)
    });
    Ok(Hello {
        token: fields.text("token")?.map(Into::into),
        client: fields.name("client")?,
        log: fields.name("log")?,
        resume: resume.collect::<Result<_, Sentence>>()?,
        last_close: fields.number("lastClose")?,
        schemas: fields.flag("schemas")?.unwrap_or(false),
    })
}

pub(super) fn start(fields: &Fields<'_>, id: FrameId) -> Result<Start, Sentence> {
    let inherit_from = match fields.nested("inheritFrom")? {
        None => None,
        Some(from) => {
            let read = InheritFrom {
                instance: instance(&from)?,
                seq: from.number("seq")?,
                params_to_copy: from.texts("paramsToCopy")?,
                without_params: from.texts("withoutParams")?.unwrap_or_default(),
            };
            from.finish()?;
            Some(read)
        }
    };
    let mut process = fields.name("process")?;
    if inherit_from.as_ref().is_none_or(|from| from.seq.is_none()) {
        process = Some(fields.required("process", process)?);
    }
    Ok(Start {
        id,
        process,
        data: fields.payload("data")?,
        business_key: fields.name("businessKey")?,
        start_condition: fields.name("startCondition")?,
        inherit_from,
        test: fields.flag("test")?.unwrap_or(false),
        subscribe: fields.flag("subscribe")?.unwrap_or(true),
        nonce: fields.name("nonce")?,
    })
}

pub(super) fn run(
    fields: &Fields<'_>,
    id: FrameId,
    instance: InstanceKey,
) -> Result<Run, Sentence> {
    Ok(Run {
        id,
        instance,
        action: fields.required("action", fields.name("action")?)?,
        data: fields.payload("data")?,
        element: element(fields, instance)?,
        if_seq: fields.number("ifSeq")?,
    })
}

pub(super) fn patch(
    fields: &Fields<'_>,
    id: FrameId,
    instance: InstanceKey,
) -> Result<Patch, Sentence> {
    let data = fields.required("data", fields.payload("data")?)?;
    Ok(Patch {
        id,
        instance,
        data,
        scope: element_named(fields, "scope", instance)?,
        if_seq: fields.number("ifSeq")?,
    })
}

fn channel(fields: &Fields<'_>) -> Result<Channel, Sentence> {
    fields.required("channel", fields.text("channel")?)?.parse()
}

fn instance(fields: &Fields<'_>) -> Result<InstanceKey, Sentence> {
    fields.required(
        "instance",
        fields.parsed("instance", "an instance key (UUID)")?,
    )
}

pub(super) fn element(
    fields: &Fields<'_>,
    instance: InstanceKey,
) -> Result<Option<ElementKey>, Sentence> {
    element_named(fields, "element", instance)
}

fn element_named(
    fields: &Fields<'_>,
    name: &'static str,
    instance: InstanceKey,
) -> Result<Option<ElementKey>, Sentence> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    let found = ElementKey::from_wire(&text, instance);
    found.map(Some).ok_or_else(|| {
        format!(
            "expected '{name}' to be an element key of this instance, but it is {}",
            quoted(&text)
        )
    })
}
