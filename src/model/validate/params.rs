//! The parameters of each action type: templates, paths, copy lists.

use super::{Report, inherit};
use crate::model::{
    action::{Action, ActionType, MessageType, Trigger},
    copying::CopyList,
    expression_language,
    http_request::HttpRequestParams,
    path::DataPath,
    template::Template,
    upload::UploadRules,
};

pub(super) fn check(element: &str, action: &Action, report: &mut Report) {
    let owner = format!("action `{}`", action.name);
    match &action.work {
        ActionType::WebsocketSend {
            message_type,
            message,
            ..
        } => check_message(element, &owner, *message_type, message, report),
        ActionType::SaveData => {}
        ActionType::AppendToParent {
            message,
            destination,
        } => {
            check_template(element, &owner, "message", message, report);
            if is_given(element, &owner, "destination", destination, report) {
                check_members(element, &owner, "destination", destination, report);
            }
        }
        ActionType::BusinessRule { script, language } => {
            is_given(element, &owner, "script", script, report);
            check_language(element, &owner, language, report);
        }
        ActionType::UploadFile {
            destination,
            max_bytes,
            types,
        } => {
            if action.trigger == Trigger::Automatic {
                let message = format!(
                    "{owner}: expected an uploadFile action to be manual, but it is automatic; \
                    make it manual"
                );
                report.error(element, "automatic_upload", message);
            }
            if is_given(element, &owner, "destination", destination, report) {
                check_members(element, &owner, "destination", destination, report);
            }
            if let Err(sentence) = UploadRules::compile(*max_bytes, types.as_deref()) {
                report.error(element, "invalid_value", format!("{owner}: {sentence}"));
            }
        }
        ActionType::HttpRequest(params) => check_call(element, &owner, params, report),
        ActionType::StartSubprocess {
            process,
            params_to_copy,
            without_params,
            output_key,
            output,
            ..
        } => {
            if is_given(element, &owner, "process", process, report) {
                report.name(element, "process", process);
            }
            check_copying(
                element,
                &owner,
                params_to_copy.as_deref(),
                without_params,
                report,
            );
            check_output(
                element,
                &owner,
                output_key.as_deref(),
                output.as_deref(),
                report,
            );
        }
        // Whether the activity exists: `ad_hoc`.
        ActionType::StartActivity { activity } => {
            is_given(element, &owner, "activity", activity, report);
        }
    }
}

/// A Data message is an object; an Action message may have a form that starts a process.
fn check_message(
    element: &str,
    owner: &str,
    message_type: MessageType,
    message: &str,
    report: &mut Report,
) {
    let Some(template) = check_template(element, owner, "message", message, report) else {
        return;
    };
    match message_type {
        MessageType::Default if !template.is_object() => {
            let message = format!(
                "{owner}: expected the message to be a JSON object, but it is another value; \
                write {{…}}"
            );
            report.error(element, "message_not_object", message);
        }
        MessageType::Default => {}
        MessageType::Action => inherit::check(element, owner, &template.outline(), report),
    }
}

fn check_call(element: &str, owner: &str, params: &HttpRequestParams, report: &mut Report) {
    let optional = [
        ("headers", &params.headers),
        ("body", &params.body),
        ("output", &params.output),
    ];
    let given = optional
        .into_iter()
        .filter_map(|(name, text)| text.as_ref().map(|text| (name, text)));
    for (name, text) in given.chain([("url", &params.url)]) {
        report.hash_braces(element, &format!("{owner}, {name}"), text);
    }
    for (code, sentence) in params.compile().err().into_iter().flatten() {
        report.error(element, code, format!("{owner}: {sentence}"));
    }
}

fn check_language(element: &str, owner: &str, language: &str, report: &mut Report) {
    if let Some(found) = expression_language::refusal(language) {
        let message = format!(
            "{owner}: expected a script in JavaScript, but its language `{language}` {found}"
        );
        report.error(element, "unsupported_language", message);
    }
}

/// Checks `paramsToCopy` and `withoutParams`.
pub(super) fn check_copying(
    element: &str,
    owner: &str,
    copy: Option<&[String]>,
    without: &[String],
    report: &mut Report,
) {
    if let Err(sentence) = CopyList::parse(copy, without) {
        report.error(
            element,
            "invalid_path",
            format!("{owner}, paramsToCopy or withoutParams: {sentence}"),
        );
    }
}

/// Checks `outputKey` and `output`.
pub(super) fn check_output(
    element: &str,
    owner: &str,
    key: Option<&str>,
    output: Option<&str>,
    report: &mut Report,
) {
    if let Some(key) = key {
        check_members(element, owner, "outputKey", key, report);
    }
    if let Some(output) = output {
        check_template(element, owner, "output", output, report);
    }
}

fn check_members(element: &str, owner: &str, what: &str, path: &str, report: &mut Report) {
    if let Err(sentence) = DataPath::parse_members(path) {
        report.error(
            element,
            "invalid_path",
            format!("{owner}, {what}: {sentence}"),
        );
    }
}

fn check_template(
    element: &str,
    owner: &str,
    what: &str,
    text: &str,
    report: &mut Report,
) -> Option<Template> {
    if !is_given(element, owner, what, text, report) {
        return None;
    }
    report.hash_braces(element, &format!("{owner}, {what}"), text);
    Template::compile(text)
        .map_err(|error| {
            report.error(
                element,
                "invalid_template",
                format!("{owner}, {what}, {error}"),
            )
        })
        .ok()
}

fn is_given(element: &str, owner: &str, what: &str, text: &str, report: &mut Report) -> bool {
    let given = !text.trim().is_empty();
    if !given {
        report.error(
            element,
            "missing_param",
            format!("{owner}: expected the param `{what}`, but it is missing or empty; add it"),
        );
    }
    given
}
