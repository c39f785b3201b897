//! The simulated processes: together they use commands, pushes, timers, messages and subprocesses.

/// The processes, as sketches. None of them needs a script thread, because its order would not
/// depend on the seed.
pub const PROCESSES: [&str; 10] = [
    // Entries of users, each pushed to all followers.
    r#"
process ledger
start -> open -> end
user open
  add manual push {"entry":"${entry}","slots":"${slots}"} keys=entry,slots optional repeat
  close manual save
"#,
    // A message, then a timer, then a user.
    r#"
process waiter
start -> c -> d -> t -> end
catch c message=paid key=${k}
catch d after=PT30S
user t
  ok manual save
"#,
    // A subprocess with a waiting parent, and a non-interrupting reminder.
    r#"
process parent
start -> check -> u -> end
call check errand copy=k out=r
boundary late at=check after=PT2M beside
late -> note -> endlate
service note
  say auto push {"late":true}
user u
  done manual save
"#,
    // The subprocess: sends to its parent, then waits for a user.
    r#"
process errand
start -> tell -> t -> end
service tell
  say auto push^ {"asked":"${k}"}
user t
  finish manual save keys=answer
"#,
    // Parallel subprocesses, one for each item of a list.
    r#"
process crew
start -> all -> end
call all errand each=team item=k copy=k
"#,
    // Started by a message, one at a time for each key.
    r#"
process order
start s message=order
s -> t -> end
user t
  ok manual save
"#,
    // One signal ends the user's step, another starts a parallel one.
    r#"
process alarm
start -> t -> end
user t
  ok manual save
boundary b at=t signal=go
boundary c at=t signal=tick beside
b -> endb
c -> endc
"#,
    // Started by either of two messages; the second one of the same key joins.
    r#"
process pair
events g starts parallel
g -> left -> j
g -> right -> j
and j
j -> t -> end
catch left message=left
catch right message=right
user t
  ok manual save
"#,
    // The last throw of the subprocess ends the call.
    r#"
process hail
start -> call -> missed -> endmissed
call call herald
user missed
boundary heard at=call signal=hail
heard -> t -> end
user t
  ok manual save
"#,
    // Throws a signal, and ends.
    r#"
process herald
start -> t -> end
user t
  sing manual save
end end signal=hail
"#,
];
