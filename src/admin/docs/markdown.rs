//! Renders the Markdown of the documentation to HTML: headings and numbered sentences can be linked
//! to, links between pages use their addresses, and each table cell carries the name of its column,
//! so that tables can be read on a phone.
//!
//! HTML in the source is shown as text. Not here: the list of pages (`docs`).

use std::collections::BTreeMap;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// A rendered page.
pub struct RenderedPage {
    /// Its first heading.
    pub title: String,
    /// The HTML of its article.
    pub html: String,
    /// Its second-level headings.
    pub headings: Vec<Heading>,
}

/// A heading.
pub struct Heading {
    /// The id by which it is linked.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// Renders a page. `address` converts the target of a link to an address.
pub fn render(source: &str, address: &dyn Fn(&str) -> String) -> RenderedPage {
    let events: Vec<Event<'_>> = Parser::new_ext(source, Options::ENABLE_TABLES).collect();
    let mut page = MarkdownPage {
        address,
        out: Vec::with_capacity(events.len()),
        title: String::new(),
        headings: vec![],
        heading: String::new(),
        seen: BTreeMap::new(),
    };
    let mut table = MarkdownTable::default();
    for (at, event) in events.iter().enumerate() {
        if !table.take(event, &events[at..], &mut page.out) {
            page.take(event, &events[at..]);
        }
    }
    let MarkdownPage {
        title,
        headings,
        out,
        ..
    } = page;
    let mut text = String::with_capacity(source.len() * 2);
    html::push_html(&mut text, out.into_iter());
    RenderedPage {
        title,
        html: text,
        headings,
    }
}

struct MarkdownPage<'a> {
    address: &'a dyn Fn(&str) -> String,
    out: Vec<Event<'a>>,
    title: String,
    headings: Vec<Heading>,
    /// The id of the newest heading.
    heading: String,
    /// How often each heading text has occurred.
    seen: BTreeMap<String, usize>,
}

impl<'a> MarkdownPage<'a> {
    /// Handles an event; `rest` begins with it.
    fn take(&mut self, event: &Event<'a>, rest: &[Event<'a>]) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let text = text_until(rest, |end| matches!(end, TagEnd::Heading(_)));
                let id = self.id_of(&text);
                self.raw(format!("<{level} id=\"{id}\">"));
                if self.title.is_empty() {
                    self.title.clone_from(&text);
                }
                if *level == pulldown_cmark::HeadingLevel::H2 {
                    self.headings.push(Heading {
                        id: id.clone(),
                        text,
                    });
                }
                self.heading = id;
            }
            Event::End(TagEnd::Heading(level)) => {
                let id = &self.heading;
                self.raw(format!(
                    " <a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to this \
                    section\">#</a></{level}>\n"
                ));
            }
            Event::Start(Tag::Item) => match sentence(rest) {
                Some(number) => self.raw(format!("<li id=\"{number}\">")),
                None => self.out.push(event.clone()),
            },
            Event::Start(Tag::Strong) if self.is_number(rest) => {
                let number = text_until(rest, |end| *end == TagEnd::Strong);
                self.raw(format!("<a class=\"sentence\" href=\"#{number}\"><strong>"));
            }
            Event::End(TagEnd::Strong) if self.in_sentence() => {
                self.raw("</strong></a>".to_owned())
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let (link_type, title, id) = (*link_type, title.clone(), id.clone());
                let dest_url = CowStr::from((self.address)(dest_url));
                self.out.push(Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                }));
            }
            Event::Html(text) | Event::InlineHtml(text) => self.out.push(Event::Text(text.clone())),
            _ => self.out.push(event.clone()),
        }
    }

    fn raw(&mut self, html: String) {
        self.out.push(Event::Html(html.into()));
    }

    /// Whether the strong text that begins here is the number of the sentence whose item has just
    /// begun.
    fn is_number(&self, rest: &[Event<'_>]) -> bool {
        let number = text_until(rest, |end| *end == TagEnd::Strong);
        let before = self
            .out
            .iter()
            .rev()
            .find(|event| !matches!(event, Event::Start(Tag::Paragraph)));
        matches!(before, Some(Event::Html(html)) if **html == *format!("<li id=\"{number}\">"))
    }

    fn in_sentence(&self) -> bool {
        let before = self
            .out
            .iter()
            .rev()
            .find(|event| !matches!(event, Event::Text(_)));
        matches!(before, Some(Event::Html(html)) if html.starts_with("<a class=\"sentence\""))
    }

    /// The id of a heading, in the form that code hosts use.
    fn id_of(&mut self, text: &str) -> String {
        let plain = text.trim().to_lowercase();
        let kept = plain
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        let id: String = kept
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let times = self.seen.entry(id.clone()).or_default();
        *times += 1;
        if *times == 1 {
            id
        } else {
            format!("{id}-{}", *times - 1)
        }
    }
}

/// The number of the sentence at the beginning of an item: `**A28** …`.
fn sentence<'e>(item: &'e [Event<'_>]) -> Option<&'e str> {
    let mut inner = item
        .iter()
        .skip(1)
        .skip_while(|event| matches!(event, Event::Start(Tag::Paragraph)));
    let (Some(Event::Start(Tag::Strong)), Some(Event::Text(text))) = (inner.next(), inner.next())
    else {
        return None;
    };
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = text[letters..].bytes().filter(u8::is_ascii_digit).count();
    ((1..=3).contains(&letters) && digits > 0 && letters + digits == text.len()).then_some(text)
}

/// The plain text of an element, up to its end.
fn text_until(element: &[Event<'_>], ends: impl Fn(&TagEnd) -> bool) -> String {
    let inner = element
        .iter()
        .take_while(|event| !matches!(event, Event::End(end) if ends(end)));
    let texts = inner.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        Event::SoftBreak | Event::HardBreak => Some(" "),
        _ => None,
    });
    texts.collect()
}

/// Writes tables, with the name of the column in each cell.
#[derive(Default)]
struct MarkdownTable {
    in_head: bool,
    columns: Vec<String>,
    column: usize,
}

impl MarkdownTable {
    /// Whether the event belongs to the frame of a table and was written.
    fn take(&mut self, event: &Event<'_>, rest: &[Event<'_>], out: &mut Vec<Event<'_>>) -> bool {
        let html = match event {
            Event::Start(Tag::Table(_)) => {
                *self = Self::default();
                "<table class=\"cards\">".to_owned()
            }
            Event::Start(Tag::TableHead) => {
                self.in_head = true;
                "<thead><tr>".to_owned()
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                "</tr></thead>\n<tbody>".to_owned()
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                "<tr>".to_owned()
            }
            Event::End(TagEnd::TableRow) => "</tr>\n".to_owned(),
            Event::Start(Tag::TableCell) if self.in_head => {
                self.columns
                    .push(text_until(rest, |end| *end == TagEnd::TableCell));
                "<th scope=\"col\">".to_owned()
            }
            Event::End(TagEnd::TableCell) if self.in_head => "</th>".to_owned(),
            Event::Start(Tag::TableCell) => {
                let name = self
                    .columns
                    .get(self.column)
                    .map(String::as_str)
                    .unwrap_or_default();
                self.column += 1;
                format!("<td data-label=\"{}\"><div>", escaped(name))
            }
            Event::End(TagEnd::TableCell) => "</div></td>".to_owned(),
            Event::End(TagEnd::Table) => "</tbody></table>\n".to_owned(),
            _ => return false,
        };
        out.push(Event::Html(html.into()));
        true
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(source: &str) -> RenderedPage {
        render(source, &|link| format!("to/{link}"))
    }

    fn ids(html: &str) -> Vec<&str> {
        html.split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect()
    }

    #[test]
    fn headings_are_linked_as_code_hosts_do() {
        let page = plain(
            "# A `page`, at last\n\n## Behind a proxy\n\n## Behind a proxy\n\n### Server-sent \
            events\n",
        );
        assert_eq!(page.title, "A page, at last");
        assert_eq!(
            ids(&page.html),
            [
                "a-page-at-last",
                "behind-a-proxy",
                "behind-a-proxy-1",
                "server-sent-events"
            ]
        );
        assert_eq!(
            page.headings
                .iter()
                .map(|heading| &*heading.text)
                .collect::<Vec<_>>(),
            ["Behind a proxy"; 2]
        );
        assert!(page.html.contains(
            "<h2 id=\"behind-a-proxy\">Behind a proxy <a class=\"anchor\" href=\"#behind-a-proxy\""
        ));
    }

    #[test]
    fn sentences_are_linked_by_their_numbers() {
        let page = plain(
            "- **A28** When *it* fails.\n- **bold** text\n\n\nAnd:\n\n- **P1** One.\n\n  More.\n",
        );
        assert_eq!(ids(&page.html), ["A28", "P1"]);
        assert!(page.html.contains(
            "<li id=\"A28\"><a class=\"sentence\" \
            href=\"#A28\"><strong>A28</strong></a> When <em>it"
        ));
        assert!(
            page.html.contains("<li><strong>bold</strong> text"),
            "{}",
            page.html
        );
        assert!(
            page.html
                .contains("<p><a class=\"sentence\" href=\"#P1\"><strong>P1</strong></a> One.</p>"),
            "{}",
            page.html
        );
    }

    #[test]
    fn cells_say_their_column() {
        let page = plain("| a \"b\" | c |\n| --- | --- |\n| `x` \\| y | [z](z.md) |\n");
        let row = "<tr><td data-label=\"a &quot;b&quot;\"><div><code>x</code> | y</div></td>\
                   <td data-label=\"c\"><div><a href=\"to/z.md\">z</a></div></td></tr>";
        assert!(page.html.contains(row), "{}", page.html);
    }

    #[test]
    fn html_of_the_source_is_text() {
        let page = plain("Say <script>alert(1)</script>\n\n<b onclick=\"x\">hi</b>\n");
        assert!(
            !page.html.contains("<script") && !page.html.contains("<b "),
            "{}",
            page.html
        );
    }
}
