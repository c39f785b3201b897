//! Look-ups and lists of workflows and jobs.

use serde_json::{Value, json};

use super::http::{ask, bearer, deploy, get, request, start, start_of};
use crate::wire::{
    Client, Server,
    client::id,
    server::{admin, token},
};

fn ids(entries: &Value) -> Vec<i64> {
    entries
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["Id"].as_i64())
        .collect()
}

/// Asserts a date in the format that is the default.
#[track_caller]
fn is_date(date: &Value) {
    let text = date.as_str().unwrap_or_default();
    let shape: String = text
        .chars()
        .map(|sign| if sign.is_ascii_digit() { '0' } else { sign })
        .collect();
    assert_eq!(shape, "00-00-0000 00:00:00", "{date}");
}

#[tokio::test]
async fn dates_have_the_configured_format() {
    let format = "yyyy/M/d 'at' HH:mm";
    let server = Server::with(&[
        "--store",
        "memory",
        "--test-clock",
        "--jobs-date-time-format",
        format,
    ]);
    let mut root = Client::hello(&server, &admin()).await;
    root.done(json!({"type": "clock", "id": id(), "set": "2031-03-07T15:04:05Z"}))
        .await;
    let job = start(&server, &admin()).await;
    let entry = get(&server, &admin(), &format!("/api/v1/job?w=41&i={job}")).await;
    assert_eq!(entry["StartedOn"], "2031/3/7 at 15:04");
    let entry = get(&server, &admin(), &format!("/api/v1/entry?w=41&i={job}")).await;
    assert_eq!(entry["StatusDate"], "2031/3/7 at 15:04");
}

#[tokio::test]
async fn a_job_is_described_while_it_runs_and_after_its_end() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let job = start(&server, &token("alice")).await;
    let path = format!("/api/v1/job?w=41&i={job}");
    let entry = get(&server, &token("alice"), &path).await;
    let expected = json!({
        "DbId": "Workflow_Wait", "Id": 41, "InstanceId": job, "Name": "Workflow_Wait", "FilePath": "", "LaunchType": 1,
        "IsEnabled": true, "IsApproval": false, "EnableParallelJobs": true, "IsWaitingForApproval": false,
        "Description": "Workflow_Wait", "IsRunning": true, "IsPaused": false, "Period": "00.00:00:00", "CronExpression": "",
        "IsExecutionGraphEmpty": false, "LocalVariables": [], "StartedOn": entry["StartedOn"], "RetryCount": 0, "RetryTimeout": 0,
        "Status": "Running"
    });
    assert_eq!(entry, expected);
    is_date(&entry["StartedOn"]);
    root.done(json!({"type": "clock", "id": id(), "advance": "PT10S"}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
    let entry = get(&server, &token("alice"), &path).await;
    assert_eq!(
        (&entry["IsRunning"], &entry["Status"]),
        (&json!(false), &json!("Done"))
    );
    for path in [
        path.as_str(),
        "/api/v1/workflow?w=41&i=x",
        "/api/v1/jobs?w=41",
        "/api/v1/search",
        "/api/v1/status-count",
    ] {
        ask(&server, &request(&format!("GET {path}"), &[], ""))
            .await
            .is_unauthorized();
    }
    let of = async |user: &str, path: &str| {
        ask(
            &server,
            &request(&format!("GET /api/v1/{path}"), &[&bearer(&token(user))], ""),
        )
        .await
    };
    of("bob", &format!("job?w=41&i={job}"))
        .await
        .is_problem(404);
    of("alice", &format!("job?w=4711&i={job}"))
        .await
        .is_problem(404);
    of("alice", "job?w=41").await.is_problem(400);
    of("alice", "jobs").await.is_problem(400);
    of("alice", "workflow?w=4711").await.is_problem(404);
}

#[tokio::test]
async fn a_workflow_entry_has_the_newest_job_of_the_caller() {
    let server = Server::with_clock();
    let before = get(&server, &token("alice"), "/api/v1/workflow?w=41").await;
    assert_eq!(
        (&before["InstanceId"], &before["IsRunning"]),
        (
            &json!("00000000-0000-0000-0000-000000000000"),
            &json!(false)
        )
    );
    assert_eq!(
        (&before["StartedOn"], &before["Status"]),
        (&json!(""), &json!("Pending"))
    );
    let first = start(&server, &token("alice")).await;
    let second = start(&server, &token("alice")).await;
    let jobs = get(&server, &token("alice"), "/api/v1/jobs?w=41").await;
    let mut keys: Vec<&str> = jobs
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|job| job["InstanceId"].as_str())
        .collect();
    keys.sort_unstable();
    let mut started = [first.as_str(), second.as_str()];
    started.sort_unstable();
    assert_eq!(keys, started);
    assert_eq!(
        get(&server, &token("alice"), "/api/v1/workflow?w=41").await["InstanceId"],
        jobs[0]["InstanceId"]
    );
    assert_eq!(
        get(&server, &token("bob"), "/api/v1/jobs?w=41").await,
        json!([])
    );
    assert_eq!(
        get(&server, &admin(), "/api/v1/jobs?w=41")
            .await
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn workflows_are_found_by_name_description_and_number() {
    let server = Server::start();
    deploy(
        &server,
        50,
        "process Leave\nstart -> ok -> end\nuser ok\n  approve manual save\n  reject manual save",
    )
    .await;
    let search =
        async |path: &str| ids(&get(&server, &token("alice"), &format!("/api/v1/{path}")).await);
    assert_eq!(search("search?s=").await, [41, 50]);
    assert_eq!(search("search").await, [41, 50]);
    assert_eq!(search("search?s=WAIT").await, [41]);
    assert_eq!(search("search?s=5").await, [50]);
    assert_eq!(search("search?s=nothing").await, [0; 0]);
    assert_eq!(search("search-approval-workflows?s=").await, [50]);
    assert_eq!(search("search-approval-workflows?s=wait").await, [0; 0]);
    start_of(&server, &token("alice"), 50).await;
    let found = get(
        &server,
        &token("alice"),
        "/api/v1/search-approval-workflows?s=leave",
    )
    .await;
    assert_eq!(
        (&found[0]["IsApproval"], &found[0]["IsWaitingForApproval"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn a_workflow_entry_says_how_it_is_launched() {
    let server = Server::start();
    let cases = [
        (
            60,
            "process Cron\nstart a cycle=R/PT1H\nstart b cycle=\"0 2 * * *\"\na -> end\nb -> end",
            3,
            "0 2 * * *",
            "00.00:00:00",
        ),
        (
            61,
            "process Periodic\nstart a cycle=R/P1DT2H3M4S\nstart b startup\na -> end\nb -> end",
            2,
            "",
            "01.02:03:04",
        ),
        (
            62,
            "process Startup\nstart a startup\na -> end",
            0,
            "",
            "00.00:00:00",
        ),
        (
            63,
            "process Once\nstart a after=P1D\na -> end",
            1,
            "",
            "00.00:00:00",
        ),
    ];
    let enabled = async |number: i64| {
        get(&server, &admin(), &format!("/api/v1/workflow?w={number}")).await["IsEnabled"].clone()
    };
    for (number, sketch, launch, cron, period) in cases {
        deploy(&server, number, sketch).await;
        let entry = get(&server, &admin(), &format!("/api/v1/workflow?w={number}")).await;
        assert_eq!(
            (&entry["LaunchType"], &entry["CronExpression"]),
            (&json!(launch), &json!(cron)),
            "{entry}"
        );
        assert_eq!(entry["Period"], period);
        assert_eq!(entry["IsEnabled"], true);
    }
    for (node, left) in [("a", true), ("b", false)] {
        let disable = request(
            &format!("POST /v1/schedules/Cron/{node}/disable"),
            &[&bearer(&admin()), "Content-Length: 0"],
            "",
        );
        assert_eq!(ask(&server, &disable).await.head.status, "HTTP/1.1 200 OK");
        assert_eq!(enabled(60).await, left);
    }
}
