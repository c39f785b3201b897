//! Server-rendered pages: their templates, the views that fill them, and the built assets that they
//! link to.
//!
//! Not here: requests, cookies and routes (`web::pages`), interactive parts of pages (`static/`).
//!
//! # Rationale
//!
//! **The admin layer is below the edge**, which serves its pages: there is one route table, and the
//! pages do not depend on HTTP.

pub mod ago;
pub mod assets;
pub mod designer;
pub mod docs;
pub mod home;
pub mod instance;
pub mod instances;
pub mod layout;
pub mod message;
pub mod operations;
pub mod percent;
pub mod playground;
pub mod processes;
pub mod tasks;

use handlebars::Handlebars;
use rust_embed::Embed;
use serde::Serialize;

use assets::Assets;

#[derive(Embed)]
#[folder = "templates/"]
#[include = "*.hbs"]
struct Templates;

/// The templates, read once at start.
pub struct Pages {
    handlebars: Handlebars<'static>,
    /// The built style sheets and scripts.
    pub assets: Assets,
}

impl Pages {
    /// Reads the embedded templates and the list of built assets.
    ///
    /// # Errors
    /// A template that cannot be parsed, as a sentence.
    pub fn load() -> Result<Self, String> {
        let mut handlebars = Handlebars::new();
        // A field that a template needs and a view lacks is an error, not an empty string.
        handlebars.set_strict_mode(true);
        for file in Templates::iter() {
            let (Some(name), Some(template)) = (file.strip_suffix(".hbs"), Templates::get(&file))
            else {
                continue;
            };
            let text = String::from_utf8_lossy(&template.data);
            handlebars
                .register_template_string(name, text)
                .map_err(|error| format!("template {file}: {error}"))?;
        }
        Ok(Self {
            handlebars,
            assets: Assets::load()?,
        })
    }

    /// Fills a template.
    ///
    /// # Errors
    /// A view lacks what the template needs, as a sentence.
    pub fn render(&self, template: &str, view: &impl Serialize) -> Result<String, String> {
        self.handlebars
            .render(template, view)
            .map_err(|error| error.to_string())
    }
}
