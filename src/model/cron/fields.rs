//! The fields of a cron expression other than weekdays: parsed here, so that errors name the field,
//! and passed on in the plain form that the library reads.
//!
//! A range whose end is before its beginning continues across the end of its hour, day, month or
//! year, as in Quartz: `22-2` are the hours 22, 23, 0, 1 and 2.

/// Names of the months from January.
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

/// A field of a cron expression.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// The name of its values.
    name: &'static str,
    first: u16,
    last: u16,
    names: &'static [&'static str],
    goes_round: bool,
}

const fn field(name: &'static str, first: u16, last: u16) -> Field {
    Field {
        name,
        first,
        last,
        names: &[],
        goes_round: true,
    }
}

/// From 0 to 59.
pub(super) const SECOND: Field = field("second", 0, 59);
/// From 0 to 59.
pub(super) const MINUTE: Field = field("minute", 0, 59);
/// From 0 to 23.
pub(super) const HOUR: Field = field("hour", 0, 23);
/// From 1 to 31, `?`, `L`, `LW`, `15W`.
pub(super) const DAY: Field = field("day of the month", 1, 31);
/// From 1 to 12, or by name.
pub(super) const MONTH: Field = Field {
    names: &MONTHS,
    ..field("month", 1, 12)
};
/// With four digits.
pub(super) const YEAR: Field = Field {
    goes_round: false,
    ..field("year", 1, 9999)
};

impl Field {
    /// The field in the library's form.
    ///
    /// # Errors
    /// The mistake in it.
    pub(super) fn read(&self, text: &str) -> Result<String, String> {
        text.split(',')
            .map(|part| self.part(part))
            .collect::<Result<Vec<_>, _>>()
            .map(|parts| parts.join(","))
    }

    fn part(&self, part: &str) -> Result<String, String> {
        let is_day = self.name == DAY.name;
        match part {
            "*" => return Ok(part.to_owned()),
            "?" | "L" | "LW" if is_day => return Ok(part.to_owned()),
            _ => {}
        }
        if is_day && let Some(back) = part.strip_prefix("L-") {
            return Err(format!(
                "`{part}` counts {} days back from the end of the month, which is not supported: \
                write a day, or `L` for the last one",
                back.trim_end_matches('W')
            ));
        }
        if is_day && let Some(day) = part.strip_suffix('W') {
            return Ok(format!("{}W", self.value(day)?));
        }
        if let Some((range, step)) = part.split_once('/') {
            let step = step.parse::<usize>().ok().filter(|step| *step > 0);
            let step = step.ok_or_else(|| format!("`{part}` has no step"))?;
            if matches!(range, "*" | "") || (range == "?" && is_day) {
                return Ok(format!("*/{step}"));
            }
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (self.value(first)?, self.value(last)?),
                None => (self.value(range)?, self.last),
            };
            let values: Vec<String> = self
                .span(first, last)?
                .step_by(step)
                .map(|value| value.to_string())
                .collect();
            return Ok(values.join(","));
        }
        let Some((first, last)) = part.split_once('-') else {
            return self.value(part).map(|value| value.to_string());
        };
        let (first, last) = (self.value(first)?, self.value(last)?);
        self.span(first, last).map(drop)?;
        Ok(if first <= last {
            format!("{first}-{last}")
        } else {
            format!("{first}-{},{}-{last}", self.last, self.first)
        })
    }

    /// The values from `first` to `last`, across the end if `first` is later.
    fn span(&self, first: u16, last: u16) -> Result<impl Iterator<Item = u16> + use<>, String> {
        if first > last && !self.goes_round {
            let name = self.name;
            return Err(format!("the {name} {first} comes after {last}"));
        }
        let (begin, end) = (self.first, self.last);
        let (till, from) = if first <= last {
            (last, None)
        } else {
            (end, Some(begin..=last))
        };
        Ok((first..=till).chain(from.into_iter().flatten()))
    }

    fn value(&self, text: &str) -> Result<u16, String> {
        if let Some(place) = self.names.iter().position(|name| *name == text) {
            return Ok(self.first + place as u16);
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse::<u16>().ok().filter(|_| is_number);
        let fits = |value: &u16| (self.first..=self.last).contains(value);
        value.filter(fits).ok_or_else(|| {
            let Self {
                name, first, last, ..
            } = self;
            let or = self
                .names
                .first()
                .map_or_else(String::new, |name| format!(", or {name}"));
            format!("`{text}` is no {name}: they are {first} to {last}{or}")
        })
    }
}
