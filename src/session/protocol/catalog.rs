//! Every frame with its shape, for the AsyncAPI document.
//!
//! Shapes come from the wire types, so the documentation of a field is beside it. Tests compare the
//! catalog with the reader of frames and with what a server sends. Not here: the document itself
//! (`web::openapi::asyncapi`).

use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, Ref, RefOr,
        schema::{AllOfBuilder, AnyOfBuilder, Schema, Type},
    },
};

use super::{
    client::{Hello, Patch, Run, Start},
    lists::{
        ChangesFrame, ChangesSnapshot, InstanceFrame, InstancesSnapshot, TasksFrame, TasksSnapshot,
    },
    on_instance,
    publish::Publish,
    server::{Bye, ErrorFrame, Live, Resync, Schemas, Snapshot, Welcome},
    shapes::{
        Assign, AtElement, Done, Follow, Fresh, Move, MoveToken, Nothing, OfInstance, Unfollow,
    },
    shared::{ActionTail, ChildTail, DataTail, ProgressTail, ViewTail},
    step::{AuthResult, ClockResult, StepResult, SubscribeResult},
    task_notes::{DraftOf, Drafted, PresenceAt, PresentAt},
};

/// One kind of frame.
pub struct FrameShape {
    /// Its name in the document: its `type`, except for snapshots of lists.
    pub name: &'static str,
    /// Its purpose.
    pub summary: &'static str,
    /// Whether it is answered by a `reply` or an `error`.
    pub is_command: bool,
    /// Its shape, which may refer to [`FrameCatalog::schemas`].
    pub schema: RefOr<Schema>,
}

/// All frames.
#[derive(Default)]
pub struct FrameCatalog {
    /// Frames of a client.
    pub from_client: Vec<FrameShape>,
    /// Frames of the server.
    pub from_server: Vec<FrameShape>,
    /// Schemas that the shapes refer to, by name.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

impl FrameCatalog {
    /// The frames of `stepwire.v1.json`.
    pub fn new() -> Self {
        let mut catalog = Self::default();
        catalog.of_client();
        catalog.of_server();
        catalog
    }

    fn of_client(&mut self) {
        let hello = self.shape::<Hello>("hello", &[]);
        self.from_client.push(FrameShape {
            is_command: false,
            ..described("hello", "The first frame of a connection", hello)
        });
        self.command::<Start>("start", "Starts an instance");
        self.at::<Run>("run", "Runs a manual action");
        self.command::<Follow>(
            "subscribe",
            "Follows an instance and its descendants, or a list",
        );
        self.command::<Unfollow>("unsubscribe", "Follows no longer");
        self.command::<Fresh>("auth", "Brings a fresh token of the same subject");
        self.at::<Done>("done", "Closes an open Action message");
        self.at::<Patch>("patch", "Corrects the data of an instance");
        self.command::<Publish>("publish", "Publishes a message or signal");
        self.at::<DraftOf>(
            "draft",
            "Saves what a user has typed into an action, or drops it",
        );
        self.at::<PresenceAt>(
            "presence",
            "Says that a user has a task open, or types there",
        );
        for name in on_instance::NAMES {
            let summary = on_instance::summary(name);
            match name {
                "assign" => self.at::<Assign>(name, summary),
                "move" => self.at::<MoveToken>(name, summary),
                "retry" | "skip" | "claim" | "release" => self.at::<AtElement>(name, summary),
                _ => self.command::<OfInstance>(name, summary),
            }
        }
        let pong = ObjectBuilder::new().build().into();
        self.from_client.push(FrameShape {
            is_command: false,
            ..described("pong", "Answers a ping", typed(pong, "pong", &[]))
        });
        self.command::<Move>(
            "clock",
            "Moves the process time of a server with --test-clock",
        );
        let idle = typed(ObjectBuilder::new().build().into(), "idle", &[id()]);
        self.from_client.push(described(
            "idle",
            "Is answered when nothing is under way, with --test-clock",
            idle,
        ));
    }

    fn of_server(&mut self) {
        self.push::<Welcome<'_>>("welcome", "Answers hello", &[]);
        let reply = self.reply();
        self.from_server.push(FrameShape {
            is_command: false,
            ..described("reply", "Answers a command that was done", reply)
        });
        self.push::<ErrorFrame<'_>>(
            "error",
            "Answers a command that was refused, or tells of a lost channel",
            &[],
        );
        self.push::<Snapshot<'_>>(
            "snapshot",
            "The state of an instance; replaces all that the client has",
            &[],
        );
        let head = [channel(), number("seq"), number("prev")];
        self.push::<DataTail<'_>>("data", "Data to merge into the view", &head);
        self.push::<ActionTail<'_>>("action", "Asks the frontend to do something", &head);
        self.push::<ViewTail<'_>>("view", "A view that replaces the client's", &head);
        self.push::<ChildTail<'_>>("child", "A child that is new or has another status", &head);
        self.push::<ProgressTail<'_>>(
            "progress",
            "The state of an instance after a command",
            &head,
        );
        self.push::<TasksSnapshot<'_>>("tasksSnapshot", "The open tasks", &[]);
        self.push::<TasksFrame<'_>>("tasks", "What changed in the open tasks", &[]);
        self.push::<InstancesSnapshot<'_>>("instancesSnapshot", "The instances of a process", &[]);
        self.push::<InstanceFrame<'_>>(
            "instance",
            "An instance of a process that is new or has changed",
            &[],
        );
        self.push::<ChangesSnapshot<'_>>("changesSnapshot", "Notices of changes begin here", &[]);
        self.push::<ChangesFrame<'_>>("changes", "Lists have changed", &[]);
        self.push::<Schemas<'_>>("schemas", "What actions take, as JSON Schemas", &[]);
        self.push::<Drafted<'_>>(
            "drafted",
            "A draft of the receiver's, or that it is gone",
            &[],
        );
        self.push::<PresentAt<'_>>("present", "Who else has a task open", &[]);
        self.push::<Live<'_>>("live", "A resumed channel has caught up", &[]);
        self.push::<Resync<'_>>("resync", "The next frame of the channel is a snapshot", &[]);
        let ping = typed(ObjectBuilder::new().build().into(), "ping", &[]);
        self.from_server.push(FrameShape {
            is_command: false,
            ..described("ping", "Asks for a `pong`", ping)
        });
        self.push::<Bye<'_>>("bye", "The server is about to close", &[]);
    }

    fn command<T: ToSchema>(&mut self, name: &'static str, summary: &'static str) {
        let schema = self.shape::<T>(name, &[id()]);
        self.from_client.push(described(name, summary, schema));
    }

    /// Adds a command whose shape does not contain the instance it is for.
    fn at<T: ToSchema>(&mut self, name: &'static str, summary: &'static str) {
        let instance = ("instance", RefOr::Ref(Ref::from_schema_name("InstanceKey")));
        let schema = self.shape::<T>(name, &[id(), instance]);
        self.from_client.push(described(name, summary, schema));
    }

    fn push<T: ToSchema>(&mut self, name: &'static str, summary: &'static str, head: &[Member]) {
        let schema = self.shape::<T>(
            if name.ends_with("Snapshot") {
                "snapshot"
            } else {
                name
            },
            head,
        );
        self.from_server.push(FrameShape {
            is_command: false,
            ..described(name, summary, schema)
        });
    }

    fn shape<T: ToSchema>(&mut self, name: &str, more: &[Member]) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        typed(T::schema(), name, more)
    }

    fn reply(&mut self) -> RefOr<Schema> {
        let result = AnyOfBuilder::new()
            .item(self.component::<StepResult<'_>>())
            .item(self.component::<SubscribeResult<'_>>())
            .item(self.component::<AuthResult>())
            .item(self.component::<ClockResult>())
            .item(self.component::<Nothing>());
        let duplicate = ObjectBuilder::new().schema_type(Type::Boolean);
        let reply = ObjectBuilder::new()
            .property("seq", number("seq").1)
            .property(
                "duplicate",
                duplicate.description(Some("Whether the command had been answered before")),
            )
            .required("duplicate")
            .property("result", result)
            .required("result");
        typed(reply.build().into(), "reply", &[id()])
    }

    fn component<T: ToSchema>(&mut self) -> Ref {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name())
    }
}

fn described(name: &'static str, summary: &'static str, schema: RefOr<Schema>) -> FrameShape {
    FrameShape {
        name,
        summary,
        is_command: true,
        schema,
    }
}

/// A member that every frame of a kind has.
type Member = (&'static str, RefOr<Schema>);

fn id() -> Member {
    let text =
        "Made by the client, resent unchanged until answered; a UUID makes a command idempotent";
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(128));
    ("id", id.description(Some(text)).build().into())
}

fn channel() -> Member {
    ("channel", RefOr::Ref(Ref::from_schema_name("Channel")))
}

fn number(name: &'static str) -> Member {
    let text = if name == "prev" {
        "Number that this subscription had reached before"
    } else {
        "Its number"
    };
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0));
    (name, number.description(Some(text)).build().into())
}

/// A shape with its `type` and the other members of every frame of its kind.
fn typed(shape: RefOr<Schema>, name: &str, more: &[Member]) -> RefOr<Schema> {
    let named = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([name]))
        .build();
    let members = [("type", RefOr::from(named))]
        .into_iter()
        .chain(more.iter().cloned());
    match shape {
        RefOr::T(Schema::Object(mut object)) => {
            for (name, schema) in members {
                object.required.push(name.to_owned());
                object.properties.insert(name.to_owned(), schema);
            }
            object.into()
        }
        other => {
            let own = members.fold(ObjectBuilder::new(), |own, (name, schema)| {
                own.property(name, schema).required(name)
            });
            RefOr::T(Schema::AllOf(
                AllOfBuilder::new().item(own).item(other).build(),
            ))
        }
    }
}
