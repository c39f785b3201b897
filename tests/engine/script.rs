//! The commands of a case, run one by one against a [`Subject`].
//!
//! ```text
//! start {data} [on=CONDITION] [child] [awaited] [wants]     child: it has a parent; awaited: which waits for it; wants: and requests its result
//! start strangerN [from SEQ]                      a client starts a subprocess, from an Action message or not
//! run [ELEMENT.]ACTION {data} [file=SIZE,TYPE]     may [ELEMENT.]ACTION (whether an upload is accepted)
//! fire ELEMENT.ACTION[:NR]     wait 30s (fires due timers, in order)
//! from PEER ended {result} | terminated | dismissed | failed [CODE [carrying={…}] [data={…}]] | escalation CODE [carrying={…}] [data={…}] | push {…} | ask {…} | append {…} | refused | dropped | end | finished | more ELEMENT (from itself)  [nr=N]
//! deliver ELEMENT[.@EVENT] {data} [nr=N]     a message or signal to a subscriber   message NAME {data} [key=K]    a client's message to the instance
//! answer ELEMENT.ACTION[:NR]|#SEQ STATUS [{body}] | failed [STATUS] | refused | unreadable     the response to an HTTP call
//! as USER [roles=a,b]     the sender of the following commands; the starter is ada. `as server` for the server itself
//! done SEQ   hold   unhold   terminate   dismiss   patch {data} [scope=ELEMENT]   end with ancestor   limit N (elements) | active=N | compensations=N | children=N | participants=N | open=N | delayed=N | calls=N | levels=N | tree=N | starts=N | turns=N | variables=N   restart (continues from its rows and a stored snapshot)
//! retry ELEMENT   skip ELEMENT   claim ELEMENT   release ELEMENT   assign ELEMENT USER   move ELEMENT NODE
//! see                                             the next step with the sender's permissions
//! data   variables ELEMENT   view   open   timers   children   why ELEMENT   calls   webhooks     print the state of the instance; variables: as an element reads them; why: its incidents
//! ```

mod versions;
mod words;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use stepwire::{
    engine::{
        Command, Rejection, StepOutcome,
        access::Caller,
        command::{RunAction, StartInstance, TakeMessage, TimerKey},
        correlation::{Correlation, EventDelivery},
        http_call::{CallAnswer, CallFailure, HttpCallRequest, OutgoingCall, Response},
        instance_message::InstanceMessage,
        permissions::Permissions,
        record::{Status, StoredFile, Subscriber},
    },
    model::{
        action::MessageType,
        event_definition::EventRef,
        http_request::headers::{Header, HeaderPiece},
        ids::{ElementKey, InstanceKey, Time},
    },
};
use uuid::Uuid;

use super::{
    sketch::tokens,
    subject::{self, OWN, PARENT, Subject, starter, stranger},
    transcript::{self, Names},
};

pub use words::call_answer;
use words::*;

/// A running case.
pub struct Script {
    subject: Subject,
    names: Names,
    /// The number of messages that each sender has sent.
    numbers: HashMap<InstanceKey, u64>,
    /// The sender of the commands; `None` is the server.
    caller: Option<Caller>,
}

impl Script {
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            names: Names::default(),
            numbers: HashMap::new(),
            caller: Some(starter()),
        }
    }

    /// The instance that the commands address.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Runs one command; returns the text to write below it.
    pub fn line(&mut self, line: &str) -> Vec<String> {
        let words = tokens(line);
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        match arguments[..] {
            ["start", peer, ref from @ ..] if peer.starts_with("stranger") => {
                self.start_child(peer, from.get(1).map(|seq| number(seq)))
            }
            ["start", ref rest @ ..] => self.start(rest),
            ["run", action, ref rest @ ..] => self.run(action, rest),
            ["may", action] => self.may_upload(action),
            ["fire", timer] => {
                let timer = self.timer(timer);
                self.apply(Command::FireTimer(timer))
            }
            ["wait", span] => self.wait(span),
            ["from", peer, ref rest @ ..] => self.receive(peer, rest),
            ["answer", call, ref rest @ ..] => {
                let number = self.call(call);
                self.apply(Command::TakeAnswer {
                    number,
                    answer: Box::new(call_answer(rest)),
                    trace: None,
                })
            }
            ["deliver", event, data, ref rest @ ..] => self.deliver(event, data, rest),
            ["message", name, data, ref key @ ..] => {
                self.apply(Command::TakeMessage(TakeMessage {
                    name: name.to_owned(),
                    correlation_key: key
                        .iter()
                        .find_map(|key| key.strip_prefix("key="))
                        .map(str::to_owned),
                    data: value(data),
                }))
            }
            ["calls"] => self.calls(),
            ["webhooks"] => self.webhooks(),
            ["done", seq] => self.apply(Command::CloseOffer { seq: number(seq) }),
            ["restart"] => {
                self.subject.restart();
                Vec::new()
            }
            ["as", user, ref roles @ ..] => {
                let roles = roles
                    .iter()
                    .find_map(|roles| roles.strip_prefix("roles="))
                    .unwrap_or_default();
                let roles: Vec<&str> = roles.split(',').filter(|role| !role.is_empty()).collect();
                self.caller = (user != "server").then(|| subject::user(user, &roles));
                Vec::new()
            }
            ["hold"] => self.apply(Command::Hold),
            ["unhold"] => self.apply(Command::Unhold),
            ["terminate"] => self.apply(Command::Terminate),
            ["dismiss"] => self.apply(Command::Dismiss),
            ["patch", data, ref scope @ ..] => {
                let scope = scope.iter().find_map(|word| word.strip_prefix("scope="));
                self.apply(Command::Patch {
                    scope: scope.map(|scope| self.names.find(scope)),
                    data: value(data),
                })
            }
            ["end", "with", "ancestor"] => self.apply(Command::EndWithAncestor),
            [
                name @ ("retry" | "skip" | "claim" | "release" | "assign" | "move"),
                element,
                ref user @ ..,
            ] => {
                let element = self.names.find(element);
                let user = user
                    .first()
                    .map(|user| (*user).to_owned())
                    .unwrap_or_default();
                self.apply(match name {
                    "retry" => Command::Retry { element },
                    "skip" => Command::Skip { element },
                    "claim" => Command::Claim { element },
                    "release" => Command::Release { element },
                    "move" => Command::MoveToken { element, to: user },
                    _ => Command::Assign { element, user },
                })
            }
            [name @ ("migrate" | "preview"), version, ref pairs @ ..] => {
                self.migrate_to(name, number(version) as u32, pairs)
            }
            ["see"] => vec![self.see()],
            ["limit", limit] => {
                self.limit(limit);
                Vec::new()
            }
            ["data"] => vec![self.subject.state().data().to_string()],
            ["variables", element] => {
                let element = self.names.find(element);
                let variables = self.subject.state().variables(Some(element));
                vec![variables.merged().to_string()]
            }
            ["view"] => vec![self.subject.state().view().to_string()],
            ["open"] => {
                let open = self.subject.state().open(self.subject.now);
                let open: BTreeMap<u64, &Value> =
                    open.map(|(seq, message)| (seq, &message.body)).collect();
                vec![json!(open).to_string()]
            }
            ["timers"] => self.timers(),
            ["children"] => self.children(),
            ["why", element] => self.incidents(element),
            _ => panic!("no command of a case: {line}"),
        }
    }

    fn limit(&mut self, limit: &str) {
        let (what, limit) = limit.split_once('=').unwrap_or(("elements", limit));
        let limits = &mut self.subject.limits;
        let changed = match what {
            "elements" => &mut limits.elements_per_command,
            "active" => &mut limits.active_elements,
            "compensations" => &mut limits.compensations,
            "children" => &mut limits.children,
            "participants" => &mut limits.participants,
            "open" => &mut limits.open_messages,
            "delayed" => &mut limits.delayed,
            "calls" => &mut limits.calls,
            "levels" => &mut limits.levels,
            "starts" => &mut limits.starts_per_step,
            "turns" => {
                limits.turns = number(limit) as u32;
                return;
            }
            "variables" => &mut limits.variable_bytes,
            "tree" => &mut self.subject.tree_room,
            _ => panic!("no limit of a case: {what}"),
        };
        *changed = number(limit) as usize;
    }

    fn start(&mut self, rest: &[&str]) -> Vec<String> {
        let (data, flags) = split_data(rest);
        let flag = |name: &str| flags.iter().find_map(|flag| flag.strip_prefix(name));
        let wants_result = flag("wants").is_some();
        let awaited = wants_result || flag("awaited").is_some();
        let is_child = awaited || flag("child").is_some();
        let parent = is_child.then(|| subject::parent_link(10, awaited, wants_result));
        self.numbers.insert(PARENT, 10);
        let mut head = self.subject.head(data, parent);
        let start_condition = flag("on=").map(str::to_owned);
        let start_event = flag("by=").map(event_ref);
        head.correlation = flag("key=").map(|key| Correlation::Message {
            name: "the one of the start".into(),
            key: Some(key.into()),
        });
        let result = self.subject.start(
            StartInstance {
                trace: None,
                head,
                start_condition,
                start_event,
            },
            self.caller.as_ref(),
        );
        self.written(&result)
    }

    fn start_child(&mut self, peer: &str, offer: Option<u64>) -> Vec<String> {
        let child = stranger(number(peer.trim_start_matches("stranger")));
        let start = self.subject.child(child, offer);
        self.apply(Command::StartChild(Box::new(start)))
    }

    fn run(&mut self, action: &str, rest: &[&str]) -> Vec<String> {
        let (data, flags) = split_data(rest);
        let file = flags
            .iter()
            .find_map(|flag| flag.strip_prefix("file="))
            .map(file);
        let (element, action) = self.named(action);
        self.apply(Command::Run(RunAction {
            action: action.to_owned(),
            element,
            data,
            file,
        }))
    }

    /// The refusal of an upload before its bytes are read, or the maximum size.
    fn may_upload(&mut self, action: &str) -> Vec<String> {
        let (element, action) = self.named(action);
        let run = RunAction {
            action: action.to_owned(),
            element,
            data: Value::Null,
            file: None,
        };
        match self.subject.may_upload(&run, self.caller.as_ref()) {
            Ok(rules) => vec![format!("up to {}", rules.max_bytes())],
            Err(rejection) => vec![transcript::rejection(&rejection)],
        }
    }

    fn named<'a>(&self, action: &'a str) -> (Option<ElementKey>, &'a str) {
        match action.rsplit_once('.') {
            Some((element, action)) => (Some(self.names.find(element)), action),
            None => (None, action),
        }
    }

    /// Advances the clock; timers that become due fire one by one, including those set meanwhile.
    fn wait(&mut self, span: &str) -> Vec<String> {
        let until = Time(self.subject.now.0 + 1000 * number(span.trim_end_matches('s')) as i64);
        let mut lines = Vec::new();
        while let Some(timer) = self.subject.next_due(until) {
            lines.push(format!("fires {}", self.names.timer(&timer)));
            lines.extend(self.apply(Command::FireTimer(timer)));
        }
        lines
    }

    fn timer(&self, text: &str) -> TimerKey {
        let (text, occurrence) = text
            .split_once(':')
            .map_or((text, 1), |(text, nr)| (text, number(nr) as u32));
        let (element, action) = text.rsplit_once('.').expect("ELEMENT.ACTION");
        let element = self.names.find(element);
        match action.strip_prefix('@') {
            Some(event) => TimerKey::event(Some(element), &event_ref(event), occurrence),
            None => TimerKey::action(element, action, occurrence),
        }
    }

    /// The number of the call in progress for a triggering.
    fn call(&self, text: &str) -> u64 {
        if let Some(seq) = text.strip_prefix('#') {
            return number(seq);
        }
        let timer = self.timer(text);
        let element = self
            .subject
            .state()
            .element(timer.element.expect("an element waits for a call"))
            .expect("an element of the instance");
        let open = element
            .http_call(timer.kind.parts().1, timer.occurrence)
            .and_then(|open| open.under_way);
        open.unwrap_or_else(|| panic!("no call under way: {text}"))
    }

    fn calls(&self) -> Vec<String> {
        let request = |call: &OutgoingCall| match &call.request {
            HttpCallRequest::Http(http) => {
                let headers: Vec<String> = http.headers.iter().map(header).collect();
                let key = without_hash(&http.idempotency_key).replace(&OWN.to_string(), "own");
                Some(format!(
                    "#{} {} {} key={key} [{}]",
                    call.number,
                    http.method,
                    http.url,
                    headers.join(", ")
                ))
            }
            HttpCallRequest::Webhook(_) => None,
        };
        self.subject.calls.values().filter_map(request).collect()
    }

    fn webhooks(&self) -> Vec<String> {
        let reported = |call: &OutgoingCall| match &call.request {
            HttpCallRequest::Webhook(webhook) => Some(format!(
                "{} {} {}",
                without_hash(&webhook.id),
                webhook.url,
                webhook.body
            )),
            HttpCallRequest::Http(_) => None,
        };
        let own = |text: String| text.replace(&OWN.to_string(), "own");
        self.subject
            .calls
            .values()
            .filter_map(reported)
            .map(own)
            .collect()
    }

    fn receive(&mut self, peer: &str, rest: &[&str]) -> Vec<String> {
        let from = match (
            peer,
            peer.strip_prefix("child"),
            peer.strip_prefix("stranger"),
        ) {
            ("parent", ..) => PARENT,
            ("itself", ..) => OWN,
            (_, Some(index), _) => self.names.children[number(index) as usize - 1],
            (_, _, Some(index)) => stranger(number(index)),
            _ => panic!("no peer: {peer}"),
        };
        let fixed = rest
            .iter()
            .find_map(|word| word.strip_prefix("nr="))
            .map(number);
        let last = self.numbers.entry(from).or_insert(1);
        let number = fixed.unwrap_or(*last + 1);
        *last = number.max(*last);
        let rest: Vec<&str> = rest
            .iter()
            .copied()
            .filter(|word| !word.starts_with("nr="))
            .collect();
        let message = Box::new(message(&rest, &self.names));
        self.apply(Command::Receive {
            trace: None,
            from,
            number,
            message,
        })
    }

    /// Delivers a message or signal to its subscriber; each delivery has a greater number.
    fn deliver(&mut self, event: &str, data: &str, rest: &[&str]) -> Vec<String> {
        let (element, event) = delivered(event);
        let element = self.names.find(element);
        let node = self.subject.process.node(&event.node);
        let begins = node.filter(|node| node.start().is_some() && node.scope.is_some());
        let by = begins.map_or(Subscriber::Element(element), |_| {
            Subscriber::Scope(Some(element))
        });
        let fixed = rest.iter().find_map(|word| word.strip_prefix("nr="));
        let last = self.numbers.entry(OWN).or_insert(1);
        let number = fixed.map_or(*last + 1, number);
        *last = number.max(*last);
        self.apply(Command::Deliver(Box::new(EventDelivery {
            trace: None,
            by,
            event,
            number,
            data: value(data).into(),
        })))
    }

    fn apply(&mut self, command: Command) -> Vec<String> {
        let by_server = matches!(
            command,
            Command::FireTimer(_)
                | Command::Receive { .. }
                | Command::Deliver(_)
                | Command::TakeAnswer { .. }
        );
        let result = self
            .subject
            .apply(command, self.caller.as_ref().filter(|_| !by_server));
        self.written(&result)
    }

    fn written(&mut self, result: &Result<StepOutcome, Rejection>) -> Vec<String> {
        match result {
            Err(rejection) => vec![transcript::rejection(rejection)],
            Ok(outcome) => {
                outcome.row.iter().for_each(|row| self.names.learn(row));
                let mut lines = self.names.outcome(outcome);
                if outcome.row.is_some() {
                    lines.push(self.see());
                }
                lines
            }
        }
    }

    fn see(&self) -> String {
        let (process, members) = (&self.subject.process, self.subject.state().members());
        let next = self.subject.next();
        let permissions = match &self.caller {
            Some(caller) if !members.may_see(process, caller) => return "= nothing".to_owned(),
            Some(caller) => Permissions::of(process, &members, &next, caller),
            None => Permissions::whole(),
        };
        self.names.next(&next, &permissions)
    }

    fn timers(&self) -> Vec<String> {
        let now = self.subject.now.0;
        let armed = self.subject.timers.iter();
        armed
            .map(|(timer, due)| format!("{} +{}s", self.names.timer(timer), (due.0 - now) / 1000))
            .collect()
    }

    fn incidents(&self, element: &str) -> Vec<String> {
        let element = self
            .subject
            .state()
            .element(self.names.find(element))
            .expect("an element of the instance");
        element
            .incidents()
            .iter()
            .map(|incident| incident.message.clone())
            .collect()
    }

    fn children(&self) -> Vec<String> {
        let children = self.subject.state().children().values();
        let name = |element| self.names.element(element);
        let element = |element: Option<ElementKey>| element.map_or("-", name).to_owned();
        children
            .map(|child| {
                let awaited = if child.start.awaited { " awaited" } else { "" };
                format!(
                    "{} {} of {}{awaited}",
                    child.start.process,
                    child.status.name(),
                    element(child.start.element)
                )
            })
            .collect()
    }
}
