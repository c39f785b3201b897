//! Which statuses of a response count as success: `2xx`, `404`.

use serde::{Deserialize, Serialize};

/// The statuses that a response can have.
const ALL: std::ops::RangeInclusive<u16> = 200..=599;

/// Statuses that count as success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRanges(Vec<(u16, u16)>);

impl StatusRanges {
    /// Compiles the modeller's text; without a list every 2xx.
    ///
    /// # Errors
    /// What was expected, as a sentence.
    pub fn compile(list: Option<&[String]>) -> Result<Self, String> {
        let Some(list) = list else {
            return Ok(Self(vec![(200, 299)]));
        };
        if list.is_empty() {
            return Err(
                "expected statuses in `success`, but the list is empty; name some, or \
                remove it for 2xx"
                    .to_owned(),
            );
        }
        list.iter()
            .map(|text| range(text))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this status is one of them.
    pub fn contain(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl std::fmt::Display for StatusRanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match first == last {
                true => write!(f, "{separator}{first}")?,
                false => write!(f, "{separator}{}xx", first / 100)?,
            }
        }
        Ok(())
    }
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let hundred = text
        .strip_suffix("xx")
        .and_then(|digit| digit.parse::<u16>().ok())
        .map(|digit| digit.saturating_mul(100));
    let found = match hundred {
        Some(first) => Some((first, first.saturating_add(99))),
        None => text.parse::<u16>().ok().map(|status| (status, status)),
    };
    found
        .filter(|(first, last)| ALL.contains(first) && ALL.contains(last))
        .ok_or_else(|| {
            format!(
                "expected statuses such as 2xx or 404 in `success`, from 200 to 599, but got \
            `{text}`; correct it"
            )
        })
}
