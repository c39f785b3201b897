//! The parts of a route table: a path, its methods, and their handlers.
//!
//! A table can be read as well as registered, so tests compare the documents of the API with it.
//! The table itself: `routes`.

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    web::{self, ServiceConfig},
};

use super::problem::HttpProblem;

/// The path of the table to which a resource belongs.
struct PathOfResource(&'static str);

/// The path of the table whose resource a request reached; `None` if it was refused before. The
/// library knows it, too, but matches all paths again for each question.
pub fn reached(request: &HttpRequest) -> Option<&'static str> {
    request.app_data::<PathOfResource>().map(|path| path.0)
}

/// All paths, in the order in which they are matched.
#[derive(Default)]
pub struct RouteTable(Vec<RouteEntry>);

/// One path.
pub struct RouteEntry {
    path: &'static str,
    methods: &'static str,
    resource: Resource,
}

impl RouteEntry {
    /// The resource at a path; for other methods than these it answers 405 and names them.
    pub fn new(path: &'static str, methods: &'static str, resource: Resource) -> Self {
        let other =
            move || async move { Err::<HttpResponse, _>(HttpProblem::method_not_allowed(methods)) };
        Self {
            path,
            methods,
            resource: resource
                .app_data(PathOfResource(path))
                .default_service(web::to(other)),
        }
    }
}

impl RouteTable {
    /// Adds a path.
    #[must_use]
    pub fn service(mut self, entry: RouteEntry) -> Self {
        self.0.push(entry);
        self
    }

    /// Registers all of it in a server.
    pub fn register(self, service: &mut ServiceConfig) {
        for entry in self.0 {
            service.service(entry.resource);
        }
    }

    /// The paths as they are registered.
    pub fn patterns(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|entry| entry.path)
    }

    /// Every path with each of its methods, in capitals. A path with alternatives counts as many.
    pub fn methods_and_paths(&self) -> Vec<(&'static str, String)> {
        let of = |entry: &RouteEntry| {
            let paths = alternatives(entry.path);
            entry.methods.split(", ").flat_map(move |method| {
                paths
                    .clone()
                    .into_iter()
                    .map(move |path| (method, path.path))
            })
        };
        self.0.iter().flat_map(of).collect()
    }
}

/// A path with one of its alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The path.
    pub path: String,
    /// The chosen alternative; `None` if the path has none.
    pub chosen: Option<String>,
}

/// The paths of a pattern: `/jobs/{change:stop|resume}` has two. At most one segment has
/// alternatives.
pub fn alternatives(pattern: &str) -> Vec<Alternative> {
    let found = pattern.split('/').find_map(|segment| {
        let (_, choices) = segment
            .strip_prefix('{')?
            .strip_suffix('}')?
            .split_once(':')?;
        choices.contains('|').then_some((segment, choices))
    });
    let Some((segment, choices)) = found else {
        return vec![Alternative {
            path: pattern.to_owned(),
            chosen: None,
        }];
    };
    let with = |choice: &str| Alternative {
        path: pattern.replace(segment, choice),
        chosen: Some(choice.to_owned()),
    };
    choices.split('|').map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_alternatives_means_several_addresses() {
        let paths = |pattern| {
            alternatives(pattern)
                .into_iter()
                .map(|one| one.path)
                .collect::<Vec<_>>()
        };
        assert_eq!(paths("/v1/tasks"), ["/v1/tasks"]);
        assert_eq!(paths("/v1/tasks/{key}"), ["/v1/tasks/{key}"]);
        assert_eq!(paths("/docs/{page:.*}"), ["/docs/{page:.*}"]);
        assert_eq!(
            paths("/v1/x/{key}/{change:on|off}"),
            ["/v1/x/{key}/on", "/v1/x/{key}/off"]
        );
        assert_eq!(
            paths("/v1/{kind:a|b}/{key}"),
            ["/v1/a/{key}", "/v1/b/{key}"]
        );
        assert_eq!(alternatives("/{kind:a|b}")[1].chosen.as_deref(), Some("b"));
        assert_eq!(alternatives("/a")[0].chosen, None);
    }
}
