//! A separate process that runs the scripts of a thread, so that every script ends at its deadline,
//! whatever it does.
//!
//! The script engine checks its deadline only between instructions: one built-in on a long text,
//! called in a loop, can run for minutes without a check. A thread cannot be killed, a process can.
//! So each script thread of the server has a worker, another process of this program, to which it
//! sends the calls of `sandbox`; one that does not answer in time is killed, and the next script
//! gets a new one. On a thread without a worker (tests, the command line) scripts run in the thread
//! itself.
//!
//! Not here: the limits within the engine (`sandbox`), and the choice of a step's thread
//! (`runtime::step_threads`).

use std::{
    cell::RefCell,
    env,
    io::{self, Read, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use super::{
    engine,
    sandbox::{self, ScriptError, ScriptLimit, ScriptOutcome, Transformed},
};
use crate::{
    limits::{self, Adjustments, Limit},
    thread_priority,
};

/// The argument that makes the program a worker; each one after it is a limit to set.
const ARGUMENT: &str = "script-worker";
/// The longest message to or from a worker, in bytes; what a script may put out is far shorter.
const MESSAGE_BYTES: u32 = 256 << 20;

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// A request to a worker.
#[derive(Serialize, Deserialize)]
enum Request<S, N, J> {
    Call { source: S, names: N, data: J },
    Transform { source: S, input: J, now: S },
}

/// The answer of a worker when the script gave a result.
#[derive(Serialize, Deserialize)]
enum WorkerResult {
    ScriptOutcome(ScriptOutcome),
    Transformed(Transformed),
}

type ScriptResponse = Result<WorkerResult, ScriptError>;

/// The answer of a worker, with the processor time that the script took.
#[derive(Serialize, Deserialize)]
struct Answer {
    response: ScriptResponse,
    worked: Duration,
}

/// Whether the scripts of a step run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripting {
    /// They run.
    Runs,
    /// They fail at once: scripts of this definition were killed too often.
    Stopped,
}

/// The worker of a thread.
struct Worker {
    program: PathBuf,
    process: Option<Process>,
    scripting: Scripting,
    /// Until when the scripts of the current step may run.
    step_ends: Instant,
    killed: u32,
    /// The processor time of the scripts of the current step.
    worked: Duration,
}

struct Process {
    child: Child,
    channel: UnixStream,
}

/// From now on, the scripts of this thread run in a worker started from `program`, which must be
/// Stepwire.
pub fn give_this_thread(program: PathBuf) {
    let worker = Worker {
        program,
        process: None,
        scripting: Scripting::Runs,
        step_ends: Instant::now(),
        killed: 0,
        worked: Duration::ZERO,
    };
    WORKER.with_borrow_mut(|place| *place = Some(worker));
}

/// Starts a step on this thread. Without a worker this does nothing.
pub fn begin_step(scripting: Scripting) {
    WORKER.with_borrow_mut(|worker| {
        if let Some(worker) = worker {
            worker.scripting = scripting;
            worker.step_ends = Instant::now() + limits::STEP_SCRIPT_TIME.get();
            worker.killed = 0;
            worker.worked = Duration::ZERO;
        }
    });
}

/// The processor time that the scripts of the latest step took in this thread's worker. One that
/// was killed counts with its whole deadline.
pub fn worked_in_step() -> Duration {
    WORKER.with_borrow(|worker| {
        let worker = worker.as_ref();
        worker.map_or(Duration::ZERO, |worker| worker.worked)
    })
}

/// How many scripts of the latest step on this thread did not answer in time.
pub fn killed_in_step() -> u32 {
    WORKER.with_borrow(|worker| worker.as_ref().map_or(0, |worker| worker.killed))
}

/// Like `sandbox::call`, in this thread's worker if it has one.
pub fn call(source: &str, names: &[String], data: &Json) -> Result<ScriptOutcome, ScriptError> {
    match request_response(&Request::Call {
        source,
        names,
        data,
    }) {
        None => sandbox::call(source, names, data),
        Some(Ok(WorkerResult::ScriptOutcome(outcome))) => Ok(outcome),
        Some(Ok(WorkerResult::Transformed(_))) => {
            Err(broken("its answer does not fit the request"))
        }
        Some(Err(error)) => Err(error),
    }
}

/// Like `sandbox::transform`, in this thread's worker if it has one.
pub fn transform(source: &str, input: &Json, now: &str) -> Result<Transformed, ScriptError> {
    match request_response(&Request::Transform::<_, &[String], _> { source, input, now }) {
        None => sandbox::transform(source, input, now),
        Some(Ok(WorkerResult::Transformed(transformed))) => Ok(transformed),
        Some(Ok(WorkerResult::ScriptOutcome(_))) => {
            Err(broken("its answer does not fit the request"))
        }
        Some(Err(error)) => Err(error),
    }
}

fn request_response(request: &impl Serialize) -> Option<ScriptResponse> {
    WORKER.with_borrow_mut(|worker| {
        worker
            .as_mut()
            .map(|worker| worker.request_response(request))
    })
}

impl Worker {
    fn request_response(&mut self, request: &impl Serialize) -> ScriptResponse {
        if self.scripting == Scripting::Stopped {
            return Err(late(
                "expected the scripts of this process to end in time, but several had to be killed \
                recently, so they are not run for a minute; change the process, or retry later"
                    .to_owned(),
            ));
        }
        let ends = self
            .step_ends
            .min(Instant::now() + limits::SCRIPT_DEADLINE.get());
        if ends <= Instant::now() {
            Limit::ScriptDeadline.refused();
            return Err(late(format!(
                "expected the scripts of one command to take at most {:?} together, but they had \
                taken longer before this one",
                limits::STEP_SCRIPT_TIME.get()
            )));
        }
        let answer = self.exchange(request, ends);
        let answered = answer.map(|Answer { response, worked }| {
            self.worked += worked;
            match response.as_ref().err().and_then(|error| error.reached) {
                Some(ScriptLimit::Time) => Limit::ScriptTime.refused(),
                Some(ScriptLimit::Memory) => Limit::ScriptMemory.refused(),
                None => {}
            }
            response
        });
        answered.unwrap_or_else(|error| {
            self.process = None;
            match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    self.killed += 1;
                    Limit::ScriptDeadline.refused();
                    self.worked += limits::SCRIPT_DEADLINE.get();
                    Err(late(format!(
                        "expected an answer in time, but it was still running after {:?} and had \
                        to be killed to end it",
                        limits::SCRIPT_DEADLINE.get()
                    )))
                }
                _ => Err(broken(&error.to_string())),
            }
        })
    }

    fn exchange(&mut self, request: &impl Serialize, ends: Instant) -> io::Result<Answer> {
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(Process::start(&self.program)?),
        };
        send(
            &mut Timed {
                channel: &process.channel,
                ends,
            },
            request,
        )?;
        receive(&mut Timed {
            channel: &process.channel,
            ends,
        })?
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Process {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let (channel, theirs) = UnixStream::pair()?;
        let input = Stdio::from(OwnedFd::from(theirs.try_clone()?));
        let output = Stdio::from(OwnedFd::from(theirs));
        let mut command = Command::new(program);
        // The environment of the server is not accessible to scripts.
        command
            .arg(ARGUMENT)
            .args(Adjustments::in_force())
            .env_clear()
            .current_dir("/")
            .stdin(input)
            .stdout(output)
            .stderr(Stdio::null());
        Ok(Self {
            child: command.spawn()?,
            channel,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may already have ended.
        let _ = self.channel.shutdown(Shutdown::Both);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A channel whose reads and writes end at a deadline.
struct Timed<'a> {
    channel: &'a UnixStream,
    ends: Instant,
}

impl Timed<'_> {
    fn rest(&self) -> io::Result<Option<Duration>> {
        let rest = self.ends.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(Some(rest))
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.channel.set_read_timeout(self.rest()?)?;
        self.channel.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.channel.set_write_timeout(self.rest()?)?;
        self.channel.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// If the program was started as a worker: its whole work, and how it ended. `None` for every
/// other start. Each program whose scripts run in workers has to begin with it.
///
/// # Errors
/// The channel breaks, or carries something that is not a request.
pub fn serve_if_worker() -> Option<io::Result<()>> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let limits: Vec<String> = arguments
        .map(|limit| limit.to_string_lossy().into_owned())
        .collect();
    Some(serve(&limits, io::stdin().lock(), io::stdout().lock()))
}

/// The main loop of a worker process: runs the requests that arrive on `input`, until it ends, with
/// these limits.
fn serve(limits: &[String], mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let limits = limits.iter().map(String::as_str);
    Adjustments::read(limits).map_err(io::Error::other)?.apply();
    while let Some(request) = receive::<Request<String, Vec<String>, Json>>(&mut input)? {
        let before = thread_priority::worked();
        let response = match request {
            Request::Call {
                source,
                names,
                data,
            } => sandbox::call(&source, &names, &data).map(WorkerResult::ScriptOutcome),
            Request::Transform { source, input, now } => {
                sandbox::transform(&source, &input, &now).map(WorkerResult::Transformed)
            }
        };
        let worked = thread_priority::worked().saturating_sub(before);
        send(&mut output, &Answer { response, worked })?;
        // Meanwhile the other side continues.
        engine::prepare();
    }
    Ok(())
}

/// A message is preceded by its length in four bytes.
fn send(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    rmp_serde::encode::write_named(&mut bytes, message).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    output.write_all(&bytes)?;
    output.flush()
}

/// The next message; `None` when the other side has ended.
fn receive<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if let Err(error) = input.read_exact(&mut length) {
        return if error.kind() == io::ErrorKind::UnexpectedEof {
            Ok(None)
        } else {
            Err(error)
        };
    }
    let length = u32::from_le_bytes(length);
    if length > MESSAGE_BYTES {
        return Err(io::Error::other("expected a shorter message"));
    }
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes)?;
    rmp_serde::from_slice(&bytes)
        .map(Some)
        .map_err(io::Error::other)
}

fn late(message: String) -> ScriptError {
    ScriptError::new(message)
}

fn broken(why: &str) -> ScriptError {
    ScriptError::new(format!(
        "expected the script engine to answer, but: {why}; try again"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_worker_answers_requests_until_its_input_ends() {
        let mut requests = Vec::new();
        let data = json!({"n": u64::MAX, "x": 0.1, "list": [1, "a", null]});
        let names = ["n".to_owned()];
        send(
            &mut requests,
            &Request::Call {
                source: "(function(input, n){ return n > 5 })",
                names: &names[..],
                data: &data,
            },
        )
        .unwrap();
        let source = "(function(){ output.all = {...input}; output.now = now })";
        send(
            &mut requests,
            &Request::Transform::<_, &[String], _> {
                source,
                input: &data,
                now: "then",
            },
        )
        .unwrap();
        send(
            &mut requests,
            &Request::Transform::<_, &[String], _> {
                source: "(function(){ null.x })",
                input: &data,
                now: "",
            },
        )
        .unwrap();
        let mut answered = Vec::new();
        serve(&[], &*requests, &mut answered).unwrap();
        let mut answers = &*answered;
        let mut next = || {
            let answer = receive::<Answer>(&mut answers).unwrap();
            answer.map(|answer| answer.response)
        };
        assert!(matches!(
            next(),
            Some(Ok(WorkerResult::ScriptOutcome(ScriptOutcome::Bool(true))))
        ));
        assert!(
            matches!(next(), Some(Ok(WorkerResult::Transformed(Transformed::Output(output)))) if output == json!({"all": data, "now": "then"}))
        );
        assert!(matches!(next(), Some(Err(error)) if error.position.is_some()));
        assert!(next().is_none());
        assert!(
            serve(&[], &b"\xff\xff\xff\xffx"[..], io::sink()).is_err()
                && serve(&[], &b"\x01\0\0\0x"[..], io::sink()).is_err()
        );
    }

    #[test]
    fn a_worker_that_does_not_answer_is_an_error_of_the_script() {
        let request_response = |program: &str| {
            give_this_thread(program.into());
            begin_step(Scripting::Runs);
            let error = call("(function(){ return true })", &[], &json!({})).expect_err(program);
            (error.message, killed_in_step())
        };
        let (message, killed) = request_response("/nowhere/stepwire");
        assert!(message.contains("try again") && killed == 0, "{message}");
        let (message, killed) = request_response("/bin/true");
        assert!(message.contains("try again") && killed == 0, "{message}");
        begin_step(Scripting::Stopped);
        let error = call("(function(){ return true })", &[], &json!({})).expect_err("stopped");
        assert!(error.message.contains("not run for a minute"), "{error:?}");
    }
}
