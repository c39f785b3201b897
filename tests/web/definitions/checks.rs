//! The result of checking definitions is the same as that of deploying them.

use super::*;

#[actix_web::test]
async fn a_check_reports_the_result_of_a_deploy() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let path = "/v1/definition-checks";
    let check =
        async |media_type: &str, source: String| deploy(&designer, path, media_type, source).await;
    assert_eq!(
        check("application/json", small("check").to_string())
            .await
            .json(),
        json!({"problems": []})
    );
    let mut broken = small("leave");
    broken["flows"][1]["target"] = json!("nowhere");
    broken["searchKeys"] = json!(["a[0]"]);
    let found = check("application/json", broken.to_string()).await;
    let codes: Vec<Value> = found.json()["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].clone())
        .collect();
    assert!(
        found.status == 200
            && codes.contains(&json!("unknown_node"))
            && codes.contains(&json!("invalid_path")),
        "{found:?}"
    );
    let mut wait = small("wait");
    wait["alias"] = json!(41);
    assert_eq!(
        check("application/json", wait.to_string()).await.json()["problems"][0]["code"],
        "alias_taken"
    );
    assert_eq!(
        check("application/xml", "<definitions".into()).await.json()["problems"][0]["code"],
        "invalid_xml"
    );
    assert_eq!(
        check("application/xml", GOOD.into()).await.json(),
        json!({"problems": []})
    );
    check("text/plain", String::new())
        .await
        .is_problem(415, "bad_request", "application/xml");
    check("application/xml", "x".repeat(2 * 1024 * 1024 + 1))
        .await
        .is_problem(413, "too_large", "2097152");
    let ada = User::new(&server, "ada", &[]);
    deploy(&ada, path, "application/json", "{}".to_owned())
        .await
        .is_problem(403, "forbidden", "designer");
    assert_eq!(designer.get("/v1/definitions/leave").await.status, 404);
    server.stop().await;
}

/// The BPMN files of this project, and documents for which a deploy reports more than one process.
fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    for folder in ["examples", "tests"] {
        collect(
            &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut documents,
        );
    }
    let process = |id: &str, attributes: &str, content: &str| {
        format!(
            r#"<bpmn:process id="{id}" isExecutable="true" {attributes}>{content}</bpmn:process>"#
        )
    };
    let task = |id: &str, content: &str| {
        format!(
            r#"<bpmn:startEvent id="{id}s"/><bpmn:sequenceFlow id="{id}f" sourceRef="{id}s" targetRef="{id}t"/>
               <bpmn:task id="{id}t">{content}</bpmn:task>
               <bpmn:sequenceFlow id="{id}g" sourceRef="{id}t" targetRef="{id}e"/><bpmn:endEvent id="{id}e"/>"#
        )
    };
    let call = r#"<bpmn:extensionElements><stepwire:actions><stepwire:action name="a" order="1" type="httpRequest">
        <stepwire:param name="url">https://example.com/${x}</stepwire:param></stepwire:action>
        <stepwire:action name="b" order="2" type="startSubprocess"><stepwire:param name="process">nobody</stepwire:param>
        </stepwire:action></stepwire:actions></bpmn:extensionElements>"#;
    let past = r#"<bpmn:startEvent id="s"><bpmn:timerEventDefinition><bpmn:timeDate>2020-01-01T00:00:00Z</bpmn:timeDate>
        </bpmn:timerEventDefinition></bpmn:startEvent>"#;
    for content in [
        process("two", "stepwire:alias=\"77\"", &task("a", call))
            + &process("three", "stepwire:alias=\"77\"", &task("b", "")),
        process("warned", "", &task("a", call))
            + &process("wrong", "", "<bpmn:transaction id=\"x\"/>"),
        process("past", "", past),
        process("caller", "", &task("a", call)),
        process("rare", "stepwire:expiry=\"0 0 30 2 *\"", &task("a", "")),
        process(
            "rule",
            "",
            &task("a", "<bpmn:documentation/>")
                .replace("sourceRef=\"as\"", "sourceRef=\"nowhere\""),
        ),
        String::new(),
    ] {
        documents.push(format!(
            r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
                 xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0">{content}</bpmn:definitions>"#
        ));
    }
    documents
}

fn collect(folder: &std::path::Path, documents: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, documents);
        } else if path.extension().is_some_and(|ending| ending == "bpmn") {
            documents.push(std::fs::read_to_string(&path).expect("the file is text"));
        }
    }
}

/// Every problem that a deploy answered, errors or warnings, in its order.
fn problems_of(deployed: &Answer) -> Value {
    let body = deployed.json();
    let entries = body["definitions"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![body.clone()]);
    entries
        .iter()
        .flat_map(|one| one["problems"].as_array().cloned().unwrap_or_default())
        .collect()
}

#[actix_web::test]
async fn a_check_has_exactly_the_problems_of_a_deploy() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let (mut refused, mut warned) = (0, 0);
    let documents = documents();
    // A deployed content changes the result of the next check: in the second round each content is
    // known.
    for source in documents.iter().chain(&documents) {
        let checked = deploy(
            &designer,
            "/v1/definition-checks",
            "application/xml",
            source.clone(),
        )
        .await
        .json();
        let deployed = deploy(
            &designer,
            "/v1/definitions?publish=true",
            "application/xml",
            source.clone(),
        )
        .await;
        let text = problems_of(&deployed);
        assert_eq!(checked["problems"], text, "{source}");
        let has_error = text
            .as_array()
            .into_iter()
            .flatten()
            .any(|problem| problem["severity"] == "error");
        assert_eq!(has_error, !deployed.status.is_success(), "{source}: {text}");
        refused += usize::from(has_error);
        warned += usize::from(!has_error && text != json!([]));
    }
    assert!(
        refused > 8 && warned > 0,
        "{refused} refused, {warned} with warnings"
    );
    server.stop().await;
}

#[actix_web::test]
async fn an_undeployed_called_process_is_named() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let mut caller = small("caller");
    caller["nodes"][1] =
        json!({"id": "ask", "type": "callActivity", "call": {"calledElement": "called"}});
    let draft = deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        caller.to_string(),
    )
    .await
    .json();
    assert_eq!(
        (
            &draft["problems"][0]["code"],
            &draft["problems"][0]["element"]
        ),
        (&json!("unknown_process"), &json!("ask"))
    );
    assert!(
        draft["problems"][0]["message"]
            .as_str()
            .unwrap()
            .contains("`called`"),
        "{draft}"
    );
    deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        small("called").to_string(),
    )
    .await;
    let again = deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        caller.to_string(),
    )
    .await
    .json();
    assert_eq!(again["problems"], json!([]));

    let start = json!({"processName": "unheard", "params": {"startOn": "server"}}).to_string();
    caller["nodes"][1] = json!({"id": "ask", "type": "task", "actions": [
        {"name": "a", "type": "websocketSend", "params": {"messageType": "action", "message": start}},
        {"name": "b", "order": 1, "type": "startSubprocess", "params": {"process": "unseen"}},
        {"name": "c", "order": 2, "type": "startSubprocess", "params": {"process": "caller"}},
        {"name": "d", "order": 3, "type": "websocketSend", "params": {"messageType": "action", "message": "{\"processName\": \
            \"${x}\"}"}}]});
    let started = deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        caller.to_string(),
    )
    .await
    .json();
    let unknown: Vec<&str> = started["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| problem["code"] == "unknown_process")
        .filter_map(|problem| problem["message"].as_str())
        .collect();
    assert_eq!(unknown.len(), 2, "{started}");
    assert!(
        unknown[0].contains("`unheard`") && unknown[1].contains("`unseen`"),
        "{unknown:?}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_check_lists_a_bounded_number_of_problems_and_counts_the_rest() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let flows: Vec<Value> = (0..700)
        .map(|number| json!({"id": format!("f{number}"), "source": "nobody", "target": "nowhere"}))
        .collect();
    let mut definition = small("many");
    definition["flows"] = json!(flows);
    let checked = deploy(
        &designer,
        "/v1/definition-checks",
        "application/json",
        definition.to_string(),
    )
    .await
    .json();
    let problems = checked["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1001);
    assert_eq!(
        (&problems[1000]["code"], &problems[1000]["severity"]),
        (&json!("more_problems"), &json!("error"))
    );
    let refused = deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        definition.to_string(),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), problems_of(&refused)),
        (422, checked["problems"].clone())
    );
    server.stop().await;
}
