//! Adds what follows from the form of a request, so that no annotation has to repeat it: refusals
//! and their schema, security schemes, one path per alternative, and descriptions of responses from
//! the schemas of their bodies.

use utoipa::openapi::{
    Components, Content, OpenApi, PathItem, Ref, RefOr, Response, Schema,
    path::{Operation, ParameterIn},
    schema::ArrayItems,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::web::http::{auth::COOKIE, route_table::alternatives};

/// The media type of a refusal.
const PROBLEM: &str = "application/problem+json";
/// The paths of jobs: a refused token is answered in plain text there, as clients of that API
/// expect.
const JOBS: &str = "/api/v1/";
/// The paths where unread input is refused.
const STRICT: &str = "/v1/";
/// The prefix of references to schemas.
const SCHEMAS: &str = "#/components/schemas/";

/// Completes a document that was made from annotations.
pub fn complete(document: &mut OpenApi) {
    let described = document.components.clone().unwrap_or_default();
    for (pattern, item) in std::mem::take(&mut document.paths.paths) {
        for one in alternatives(&pattern) {
            let mut item = item.clone();
            for operation in operations(&mut item) {
                choose(operation, one.chosen.as_deref());
                complete_operation(operation, &one.path);
                describe_answers(operation, &described);
            }
            document.paths.paths.insert(one.path, item);
        }
    }
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT");
    let bearer = bearer.description(Some(
        "A token of POST /v1/login, of the configured issuer, or of `stepwire token`",
    ));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let cookie =
        "The cookie of a sign-in. What changes something must then come from an allowed Origin";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(COOKIE, cookie));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    let ticket = ApiKey::Query(ApiKeyValue::with_description(
        "ticket",
        "A ticket of POST /v1/tickets: good for one request",
    ));
    components.add_security_scheme("ticket", SecurityScheme::ApiKey(ticket));
}

/// The operations of a path.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// Turns an operation with alternatives into the operation of one of them, which replaces `{}` in
/// its id and summary.
fn choose(operation: &mut Operation, chosen: Option<&str>) {
    let Some(chosen) = chosen else { return };
    operation.operation_id = operation
        .operation_id
        .as_ref()
        .map(|id| id.replace("{}", chosen));
    let capital = chosen
        .chars()
        .take(1)
        .flat_map(char::to_uppercase)
        .chain(chosen.chars().skip(1))
        .collect::<String>();
    operation.summary = operation
        .summary
        .as_ref()
        .map(|summary| summary.replace("{}", &capital));
}

/// Gives every response without a description that of its body's schema.
fn describe_answers(operation: &mut Operation, components: &Components) {
    for answer in operation.responses.responses.values_mut() {
        let RefOr::T(answer) = answer else { continue };
        if answer.description.is_empty()
            && let Some(schema) = answer.content.values().find_map(schema_of)
        {
            answer.description = description(schema, components).unwrap_or_default();
        }
    }
}

fn schema_of(content: &RefOr<Content>) -> Option<&RefOr<Schema>> {
    match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    }
}

/// The description of a schema, without the final full stop.
fn description(schema: &RefOr<Schema>, components: &Components) -> Option<String> {
    let description = match schema {
        RefOr::Ref(reference) => {
            let named = components
                .schemas
                .get(reference.ref_location.strip_prefix(SCHEMAS)?)?;
            return description(named, components);
        }
        RefOr::T(Schema::Array(list)) => {
            let ArrayItems::RefOrSchema(items) = &list.items else {
                return None;
            };
            return Some(format!(
                "A list. Of each entry: {}",
                description(items, components)?
            ));
        }
        RefOr::T(Schema::Object(object)) => object.description.as_ref(),
        RefOr::T(Schema::OneOf(one)) => one.description.as_ref(),
        RefOr::T(Schema::AllOf(all)) => all.description.as_ref(),
        RefOr::T(_) => None,
    };
    description.map(|text| text.trim_end_matches('.').to_owned())
}

fn complete_operation(operation: &mut Operation, path: &str) {
    // Errors are among the responses; the rest of a handler's documentation is its description.
    if let Some(description) = &mut operation.description
        && let Some(at) = description.find("# Errors")
    {
        description.truncate(at);
        description.truncate(description.trim_end().len());
    }
    for status in implied(operation, path) {
        let answers = &mut operation.responses.responses;
        answers
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(Response::new("")));
    }
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(answer) = answer else { continue };
        if !status.starts_with(['4', '5']) {
            continue;
        }
        if answer.description.is_empty() {
            answer.description = meaning(status).to_owned();
        }
        if status == "401" && path.starts_with(JOBS) {
            continue;
        }
        if answer.content.is_empty() {
            let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
            answer
                .content
                .insert(PROBLEM.to_owned(), RefOr::T(Content::new(Some(schema))));
        }
    }
}

/// The refusals of any request with this form.
fn implied(operation: &Operation, path: &str) -> Vec<&'static str> {
    let mut statuses = vec!["429"];
    let for_anybody = operation.security.as_ref().is_some_and(Vec::is_empty)
        || operation
            .security
            .iter()
            .flatten()
            .any(|one| *one == utoipa::openapi::SecurityRequirement::default());
    if !for_anybody {
        statuses.extend(["401", "500", "503"]);
    }
    let parameters = operation.parameters.iter().flatten();
    let mut reads = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(&parameter.parameter_in),
        RefOr::Ref(_) => None,
    });
    let is_read = |place: &ParameterIn| matches!(place, ParameterIn::Query | ParameterIn::Header);
    // Unread input is refused, too: see `strict_input`.
    let is_strict = path.starts_with(STRICT);
    if is_strict || reads.any(is_read) || operation.request_body.is_some() {
        statuses.push("400");
    }
    if operation.request_body.is_some() {
        statuses.push("413");
        // There the type of a body is ignored.
        if !path.starts_with(JOBS) {
            statuses.push("415");
        }
    }
    statuses
}

/// The description of a status without a more specific one.
fn meaning(status: &str) -> &'static str {
    match status {
        "400" => "The request cannot be read: `detail` names what was expected",
        "401" => "No token, or one that is not accepted (any more)",
        "403" => "The token does not grant this, or the request comes from a foreign origin",
        "404" => "Unknown, or not yours",
        "409" => "It cannot be done now: `code` and `reason` say why",
        "413" => "Larger than a limit allows",
        "415" => "A body of this Content-Type is not read here",
        "422" => "Well-formed, but wrong: `fields` or `problems` say where",
        "429" => "Too often: `Retry-After` says when to try again",
        "503" => "No room at the moment: try again",
        _ => "A fault of the server; nothing was done",
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::{
        ComponentsBuilder,
        path::{HttpMethod, OperationBuilder, PathsBuilder},
        schema::{ArrayBuilder, ObjectBuilder},
    };

    use super::*;

    fn completed(path: &str, operation: OperationBuilder) -> OpenApi {
        let paths = PathsBuilder::new()
            .path(path, PathItem::new(HttpMethod::Post, operation))
            .build();
        let mut document = OpenApi::new(utoipa::openapi::Info::new("t", "1"), paths);
        complete(&mut document);
        document
    }

    fn statuses(document: &OpenApi, path: &str) -> Vec<String> {
        document.paths.paths[path]
            .post
            .as_ref()
            .unwrap()
            .responses
            .responses
            .keys()
            .cloned()
            .collect()
    }

    #[test]
    fn an_operation_is_completed_by_its_form() {
        let operation = || OperationBuilder::new().request_body(Some(Default::default()));
        assert_eq!(
            statuses(&completed("/v1/x", operation()), "/v1/x"),
            ["400", "401", "413", "415", "429", "500", "503"]
        );
        assert_eq!(
            statuses(&completed("/api/v1/x", operation()), "/api/v1/x"),
            ["400", "401", "413", "429", "500", "503"]
        );
        let for_anybody = || OperationBuilder::new().security(Default::default());
        assert_eq!(
            statuses(&completed("/v1/x", for_anybody()), "/v1/x"),
            ["400", "429"]
        );
    }

    #[test]
    fn an_answer_is_described_by_its_body() {
        let described = ObjectBuilder::new().description(Some("A thing."));
        let components = ComponentsBuilder::new().schema("Thing", described).build();
        let thing = RefOr::Ref(Ref::from_schema_name("Thing"));
        assert_eq!(description(&thing, &components).as_deref(), Some("A thing"));
        let list = RefOr::T(Schema::Array(ArrayBuilder::new().items(thing).build()));
        assert_eq!(
            description(&list, &components).as_deref(),
            Some("A list. Of each entry: A thing")
        );
        assert_eq!(
            description(&RefOr::Ref(Ref::from_schema_name("Nothing")), &components),
            None
        );
    }

    #[test]
    fn alternatives_become_operations_and_refusals_problems() {
        let operation = OperationBuilder::new()
            .operation_id(Some("{}It"))
            .summary(Some("{} it"));
        let operation = operation
            .response("404", Response::new(""))
            .description(Some("d\n\n# Errors\n404"));
        let document = completed("/v1/x/{key}/{command:hold|go}", operation);
        let operation = document.paths.paths["/v1/x/{key}/go"]
            .post
            .as_ref()
            .unwrap();
        assert_eq!(
            (
                operation.operation_id.as_deref(),
                operation.summary.as_deref()
            ),
            (Some("goIt"), Some("Go it"))
        );
        assert_eq!(operation.description.as_deref(), Some("d"));
        let answer = serde_json::to_value(&operation.responses.responses["404"]).unwrap();
        assert_eq!(
            answer["content"][PROBLEM]["schema"]["$ref"],
            "#/components/schemas/Problem"
        );
        assert_eq!(answer["description"], "Unknown, or not yours");
        assert!(
            document.paths.paths.contains_key("/v1/x/{key}/hold")
                && document.paths.paths.len() == 2
        );
    }
}
