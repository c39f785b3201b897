//! One simulated run: the choices of its seed, until no work is left, and then the checks.
//!
//! First there are faults: crashes, failing commits, cut connections, passing time. After the last
//! one every command must be answered: clients repeat unanswered commands, timers fire, and a new
//! client reads everything.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use stepwire::{
    model::ids::Time,
    runtime::clock::{Clock, real_now},
    session::{auth::token::Identity, sessions::Sessions},
};
use uuid::Uuid;

use super::{
    bug::Bug,
    client::{Client, Held},
    link::Link,
    oracle,
    random::Random,
    server::Server,
    settle::{self, settled},
    store::{Fault, SimulatedStore},
    violation::{Invariant, Violation, hold, violated},
};

/// The number of steps with faults.
pub const TROUBLES: usize = 350;
/// The number of steps after the last fault within which every command must be answered.
const SERVED_WITHIN: usize = 20_000;
/// The maximum number of waits for work that needs real time.
const WAITS: usize = 2_000;
/// The process time at the start of every run.
const BEGIN: Time = Time(1_700_000_000_000);
/// By how much the machine's clock may be set, in milliseconds: an hour, a day, an hour and a minute back.
const CLOCK_SET_BY: [i64; 4] = [3_600_000, 86_400_000, -3_600_000, -60_000];
/// Users, and whether they publish.
const USERS: [(&str, &[&str]); 3] = [("alice", &[]), ("bob", &[]), ("olga", &["operator"])];

/// A run of a seed.
pub struct Run {
    random: Random,
    store: SimulatedStore,
    clients: Vec<Client>,
    /// The right time, by which clients make ids.
    now: Time,
    /// By how much the machine's clock is ahead of it, in milliseconds.
    ahead: i64,
    /// The correlation keys that instances may wait for.
    keys: Vec<String>,
    /// The events, one per line.
    pub log: Vec<String>,
    /// The newest process time.
    last: Time,
    steps: usize,
    troubles: usize,
    phase: Phase,
    bug: Option<Bug>,
}

/// The phases of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Troubles,
    /// Without faults: every command is answered.
    Calm,
    /// A new client connects.
    Reading,
    Over,
}

/// The next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Write,
    Release,
    Answer,
    Connect(usize),
    Act(usize),
    Send(usize),
    Receive(usize),
    Work(usize),
    Read(usize),
}

/// The server and its connections, from a start to a crash.
struct Life {
    server: Server,
    links: Vec<Option<Link>>,
}

impl Run {
    /// A run of this seed with so many steps with faults.
    pub fn new(seed: u64, troubles: usize, bug: Option<Bug>) -> Self {
        let client = |(name, roles): (&str, _)| Client::new(name.to_owned(), roles, bug);
        Self {
            random: Random::new(seed),
            store: SimulatedStore::new(bug),
            clients: USERS.into_iter().map(client).collect(),
            now: BEGIN,
            ahead: 0,
            keys: Vec::new(),
            log: Vec::new(),
            last: BEGIN,
            steps: 0,
            troubles,
            phase: Phase::Troubles,
            bug,
        }
    }

    /// Runs to its end.
    ///
    /// # Errors
    /// The violation.
    pub fn play(&mut self) -> Result<(), Violation> {
        while self.phase != Phase::Over {
            let system = actix_rt::System::with_tokio_rt(|| {
                settle::runtime().expect("the system gives a runtime")
            });
            system.block_on(self.live())?;
        }
        let observer = self.clients.pop().expect("it came last");
        oracle::check(&self.store, &self.clients, &observer.held, self.last)
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        let line = format!("{} {}", self.steps, what());
        self.log.push(line);
    }

    /// One life of the server. Ends with a crash, or with the run.
    async fn live(&mut self) -> Result<(), Violation> {
        let machine = Clock::simulated(Time(self.now.0 + self.ahead));
        let server = Server::start(&self.store, machine).await;
        let links = self.clients.iter().map(|_| None).collect();
        let mut life = Life { server, links };
        let mut waits = 0;
        self.last = life.server.clock.now();
        for client in &mut self.clients {
            client.cut(&mut self.random, self.now);
        }
        while self.phase != Phase::Over {
            settled().await;
            self.steps += 1;
            if self.phase == Phase::Troubles && self.steps > self.troubles {
                self.phase = Phase::Calm;
                self.note(|| "calm".to_owned());
                self.store.fail(None);
            }
            let ends = life.server.has_failed() && self.random.once_in(6);
            if ends || (self.phase == Phase::Troubles && self.trouble(&mut life)) {
                self.note(|| "crash".to_owned());
                break;
            }
            let choices = self.choices(&life);
            if !choices.is_empty() {
                let choice = *self.random.pick(&choices);
                self.take(&mut life, choice)?;
            } else if life.server.waits() && waits < WAITS {
                waits += 1;
                actix_rt::time::sleep(Duration::from_millis(2)).await;
            } else {
                self.quiet(&mut life)?;
            }
            if self.steps > self.troubles + SERVED_WITHIN {
                return Err(violated(Invariant::Liveness, "it does not come to rest"));
            }
        }
        drop(life.links);
        self.store.crash();
        life.server.unwind().await;
        Ok(())
    }

    /// Perhaps causes a fault; returns whether the server crashes.
    fn trouble(&mut self, life: &mut Life) -> bool {
        if self.random.once_in(120) {
            return true;
        }
        if self.random.once_in(150) {
            let fault = *self.random.pick(&[Fault::Before, Fault::After]);
            self.note(|| format!("the next commit fails, {fault:?}"));
            self.store.fail(Some(fault));
        }
        if self.random.once_in(25) {
            let who = self.random.below(self.clients.len());
            if life.links[who].take().is_some() {
                self.note(|| format!("cut {who}"));
                self.clients[who].cut(&mut self.random, self.now);
            }
        }
        if self.random.once_in(20) {
            let passes = 1_000 * (1 + self.random.below(60) as i64);
            self.pass(life, passes, 0);
        }
        if self.random.once_in(150) {
            let set_by = *self.random.pick(&CLOCK_SET_BY);
            self.note(|| format!("the clock is set by {set_by}"));
            self.pass(life, 0, set_by);
        }
        false
    }

    /// Lets so many milliseconds pass, and changes the machine's clock.
    fn pass(&mut self, life: &Life, passes: i64, set_by: i64) {
        let is_held = self.bug == Some(Bug::TimeHeldUp) && self.ahead < 0;
        let steady = if is_held { 0 } else { passes };
        self.now = Time(self.now.0 + passes);
        self.ahead += set_by - (passes - steady);
        life.server
            .clock
            .pass(Duration::from_millis(steady.unsigned_abs()), set_by);
        self.last = life.server.clock.now();
        let last = self.last;
        self.note(|| format!("it is {}", last.0));
    }

    fn choices(&self, life: &Life) -> Vec<Choice> {
        let undone = life.server.steps.unfinished();
        let mut choices = Vec::new();
        let mut offer = |is_there: bool, choice| {
            if is_there {
                choices.push(choice);
            }
        };
        offer(undone.writes > 0, Choice::Write);
        offer(undone.releases > 0, Choice::Release);
        offer(undone.questions > 0, Choice::Answer);
        for (who, client) in self.clients.iter().enumerate() {
            let Some(link) = &life.links[who] else {
                offer(true, Choice::Connect(who));
                continue;
            };
            let acts = self.phase == Phase::Troubles && client.can_act();
            offer(acts, Choice::Act(who));
            offer(client.can_send(), Choice::Send(who));
            offer(link.can_receive(), Choice::Receive(who));
            offer(link.can_work(), Choice::Work(who));
            let is_silenced = self.bug == Some(Bug::Silence) && who == 0;
            offer(link.can_read() && !is_silenced, Choice::Read(who));
        }
        choices
    }

    fn take(&mut self, life: &mut Life, choice: Choice) -> Result<(), Violation> {
        match choice {
            Choice::Write => {
                let maximum = 1 + self.random.below(4);
                self.note(|| format!("write {maximum}"));
                life.server.steps.write(maximum);
            }
            Choice::Release => {
                self.note(|| "release".to_owned());
                life.server.steps.release();
            }
            Choice::Answer => {
                self.note(|| "answer".to_owned());
                life.server.steps.answer();
            }
            Choice::Connect(who) => {
                let client = &mut self.clients[who];
                let mut link = Link::open(&life.server.sessions);
                link.send(client.hello(&token(&life.server.sessions, client)));
                life.links[who] = Some(link);
                self.note(|| format!("connect {who}"));
            }
            Choice::Act(who) => {
                let held = self.clients.iter().flat_map(|it| it.held.keys().cloned());
                let instances: Vec<String> = held.collect();
                let client = &mut self.clients[who];
                let once = client.act(&mut self.random, self.now, &mut self.keys, &instances);
                once.into_iter()
                    .for_each(|frame| link(life, who).send(frame));
                self.note(|| format!("act {who}"));
            }
            Choice::Send(who) => self.send(life, who),
            Choice::Receive(who) => {
                self.note(|| format!("receive {who}"));
                link(life, who).receive();
            }
            Choice::Work(who) => {
                self.note(|| format!("work {who}"));
                link(life, who).work();
                if let Some(why) = link(life, who).closed() {
                    self.note(|| format!("closed {who}: {why}"));
                    life.links[who] = None;
                    self.clients[who].cut(&mut self.random, self.now);
                }
            }
            Choice::Read(who) => return self.read(life, who),
        }
        Ok(())
    }

    fn send(&mut self, life: &mut Life, who: usize) {
        if let Some(frame) = self.clients[who].send() {
            self.note(|| format!("send {who} {frame}"));
            link(life, who).send(frame);
        }
    }

    fn read(&mut self, life: &mut Life, who: usize) -> Result<(), Violation> {
        let Some(mut frame) = link(life, who).read() else {
            return Ok(());
        };
        // Frames about the connection itself do not depend on the seed.
        let is_of_the_seed = frame["type"] != "welcome";
        self.note(|| {
            format!(
                "read {who} {}",
                if is_of_the_seed { &frame } else { &Value::Null }
            )
        });
        let is_pushed = frame["type"] == "data";
        if is_pushed && self.bug == Some(Bug::LostFrame) && self.random.once_in(4) {
            return Ok(());
        }
        if is_pushed && self.bug == Some(Bug::ChangedFrame) {
            frame["body"] = serde_json::json!({"changed": true});
        }
        if let Some(back) = self.clients[who].read(&frame)? {
            link(life, who).send(back);
        }
        Ok(())
    }

    /// Nothing can continue without time: time passes, or the next phase begins.
    fn quiet(&mut self, life: &mut Life) -> Result<(), Violation> {
        let due = self.store.read(|reader| reader.next_due());
        let now = life.server.clock.now();
        if let Some(due) = due.expect("memory can be read")
            && due > now
        {
            self.pass(life, due.0 - now.0, 0);
            // While the machine's clock is behind, process time is a tenth slower.
            let left = due.0 - life.server.clock.now().0;
            if left > 0 {
                self.pass(life, left * 10 / 9 + 2, 0);
            }
            let last = self.last;
            return hold(Invariant::Clock, last >= due, || {
                format!("it is {last:?} still, though it should be {due:?} by now")
            });
        }
        match self.phase {
            Phase::Troubles => Ok(()),
            Phase::Calm => {
                for client in &self.clients {
                    if let Some(command) = client.unanswered.front() {
                        let text = format!("{} is never answered: {}", client.name, command.frame);
                        return Err(violated(Invariant::Liveness, text));
                    }
                }
                self.phase = Phase::Reading;
                self.note(|| "a new client connects".to_owned());
                self.observe(life);
                Ok(())
            }
            Phase::Reading | Phase::Over => {
                self.phase = Phase::Over;
                Ok(())
            }
        }
    }

    /// A new client connects, and reads every instance that another client holds.
    fn observe(&mut self, life: &mut Life) {
        let mut observer = Client::new("observer".to_owned(), &["operator"], None);
        let mut link = Link::open(&life.server.sessions);
        link.send(observer.hello(&token(&life.server.sessions, &observer)));
        let held = self.clients.iter().flat_map(|client| client.held.keys());
        for (number, instance) in held.enumerate() {
            let channel = format!("instance/{instance}");
            link.send(
                serde_json::json!({"type": "subscribe", "id": format!("look-{number}"),
                "channel": channel, "tree": false}),
            );
            observer.held.insert(instance.clone(), Held::default());
        }
        self.clients.push(observer);
        life.links.push(Some(link));
    }
}

fn link(life: &mut Life, who: usize) -> &mut Link {
    life.links[who].as_mut().expect("a choice of a connection")
}

fn token(sessions: &Arc<Sessions>, client: &Client) -> String {
    let identity = Identity {
        subject: client.name.clone(),
        roles: client.roles.iter().map(|&role| role.to_owned()).collect(),
        ..Identity::anonymous(Uuid::nil())
    };
    let hour = Duration::from_secs(3_600);
    let token = sessions.tokens.mint(&identity, real_now(), hour);
    token.expect("a token is made")
}
