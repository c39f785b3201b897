//! A picture of curves, as SVG: panels side by side, each with one figure over a size that grows by
//! powers of ten. The colours follow the reader's preference, light or dark.

use std::fmt::Write;

/// One figure over the sizes.
pub struct Panel<'a> {
    /// The name of the figure.
    pub title: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// Sizes and values, in order.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 250.0;
const HEIGHT: f64 = 200.0;
/// Margins around the lines: left, top, right, bottom.
const ROOM: [f64; 4] = [52.0, 34.0, 16.0, 40.0];

const STYLE: &str = "text{font:11px system-ui,sans-serif;fill:#444}.t{font-weight:600;fill:#111}\
    .a{stroke:#bbb;stroke-width:1}.g{stroke:#e6e6e6;stroke-width:1}\
    .l{fill:none;stroke:#1565c0;stroke-width:2}.p{fill:#1565c0}\
    @media (prefers-color-scheme:dark){text{fill:#bbb}.t{fill:#eee}.a{stroke:#666}\
    .g{stroke:#333}.l{stroke:#64b5f6}.p{fill:#64b5f6}}";

/// Draws the panels; `axis` names the size.
pub fn draw(axis: &str, panels: &[Panel<'_>]) -> String {
    let width = WIDTH * panels.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{HEIGHT}\" \
        viewBox=\"0 0 {width} {HEIGHT}\" role=\"img\">\n<title>{} by {}</title>\n\
        <style>{STYLE}</style>\n",
        escaped(
            &panels
                .iter()
                .map(|it| it.title)
                .collect::<Vec<_>>()
                .join(", ")
        ),
        escaped(axis)
    );
    for (number, panel) in panels.iter().enumerate() {
        draw_panel(&mut svg, number as f64 * WIDTH, axis, panel);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_panel(svg: &mut String, x: f64, axis: &str, panel: &Panel<'_>) {
    let [left, above, right, below] = ROOM;
    let (from, to) = (x + left, x + WIDTH - right);
    let (bottom, top) = (HEIGHT - below, above);
    let log = |size: f64| size.max(1.0).log10();
    let first = panel.points.first().map_or(0.0, |point| log(point.0));
    let last = panel.points.last().map_or(1.0, |point| log(point.0));
    let highest = panel.points.iter().map(|point| point.1).fold(0.0, f64::max);
    let (step, steps) = scale(highest);
    let at_x = |size: f64| match last > first {
        true => from + (log(size) - first) / (last - first) * (to - from),
        false => (from + to) / 2.0,
    };
    let at_y = |value: f64| bottom - value / (step * f64::from(steps)) * (bottom - top);
    let unit = match panel.unit {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    let mut text = |class: &str, x: f64, y: f64, anchor: &str, words: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(words)
        );
    };
    text(
        "t",
        x + 8.0,
        18.0,
        "start",
        &format!("{}{unit}", panel.title),
    );
    text("", (from + to) / 2.0, HEIGHT - 8.0, "middle", axis);
    for number in 0..=steps {
        let value = step * f64::from(number);
        text("", from - 6.0, at_y(value) + 4.0, "end", &short(value));
    }
    for (size, _) in &panel.points {
        text("", at_x(*size), bottom + 16.0, "middle", &short(*size));
    }
    for number in 0..=steps {
        let (class, y) = (
            if number == 0 { "a" } else { "g" },
            at_y(step * f64::from(number)),
        );
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{from:.1}\" y1=\"{y:.1}\" x2=\"{to:.1}\" y2=\"{y:.1}\"/>"
        );
    }
    let places: Vec<(f64, f64)> = panel
        .points
        .iter()
        .map(|point| (at_x(point.0), at_y(point.1)))
        .collect();
    let line: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = writeln!(svg, "<polyline class=\"l\" points=\"{}\"/>", line.join(" "));
    for ((x, y), (size, value)) in places.iter().zip(&panel.points) {
        let _ = writeln!(
            svg,
            "<circle class=\"p\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{}: {}</title></circle>",
            short(*size),
            short(*value)
        );
    }
}

/// The distance of the grid lines, a round number, and their number up to the highest value.
fn scale(highest: f64) -> (f64, u32) {
    let rough = (highest / 4.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * power);
    let step = round
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    (step, (highest / step).ceil().max(1.0) as u32)
}

/// A number in few characters: 1.5k, 0.25.
fn short(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{scaled:.digits$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text}{suffix}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
