//! `slate.toml`: the settings of a project's board that its team commits.

use super::{Placement, Scope};
use crate::{
    board::Options,
    error::{Error, ErrorKind, Result},
    layout::Shape,
};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The name of the file, in the project's folder.
pub(super) const SETTINGS: &str = "slate.toml";

/// What a board is made with. A member that is missing is left to the default.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Settings {
    pub(super) capacity: Option<u64>,
    pub(super) keys: Option<u64>,
    pub(super) history: Option<u64>,
    pub(super) sessions: Option<u64>,
    pub(super) uniform_shards: Option<u64>,
    pub(super) dedicated: Option<Vec<String>>,
    pub(super) placement: Option<Placement>,
    pub(super) scope: Option<Scope>,
}

/// One difference between a board that was there already and what was asked for.
///
/// # Examples
///
/// ```
/// use slateboard::project::{Placement, ProjectOptions};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let options = ProjectOptions::new().placement(Placement::Project).capacity(1 << 20);
/// options.ensure(folder)?;
/// let again = options.sessions(7).ensure(folder)?;
/// assert!(!again.created);
/// assert_eq!(again.differs[0].to_string(), "sessions is 256, and 7 was asked for");
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The setting's name, as in `slate.toml`.
    pub name: &'static str,
    /// What the board has.
    pub has: String,
    /// What was asked for, by the call or by `slate.toml`.
    pub asked: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is {}, and {} was asked for", self.name, self.has, self.asked)
    }
}

impl Settings {
    /// The settings in the first of these folders that has the file, and its path.
    pub(super) fn read(folders: &[&Path]) -> Result<(Self, Option<PathBuf>)> {
        for folder in folders {
            let path = folder.join(SETTINGS);
            match fs::read_to_string(&path) {
                Ok(text) => return Ok((Self::parse(&text).map_err(|why| invalid(&path, &why))?, Some(path))),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(Error::io("the settings cannot be read", error).at_path(&path)),
            }
        }
        Ok((Self::default(), None))
    }

    /// Tables are left to later versions and to other tools. A setting of an unknown name is refused, because it would
    /// otherwise be without effect.
    fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut settings = Self::default();
        for (name, value) in table {
            match (name.as_str(), value) {
                (_, toml::Value::Table(_)) => {}
                ("capacity", value) => settings.capacity = Some(size(&value)?),
                ("keys", value) => settings.keys = Some(number("keys", &value)?),
                ("history", value) => settings.history = Some(number("history", &value)?),
                ("sessions", value) => settings.sessions = Some(number("sessions", &value)?),
                ("uniform_shards", value) => {
                    settings.uniform_shards = Some(number("uniform_shards", &value)?)
                }
                ("dedicated", value) => settings.dedicated = Some(parsed("dedicated", value)?),
                ("placement", value) => settings.placement = Some(parsed("placement", value)?),
                ("scope", value) => settings.scope = Some(parsed("scope", value)?),
                (name, _) => {
                    return Err(format!(
                        "there is no setting {name:?}; there are capacity, keys, history, sessions, uniform_shards, \
                         dedicated, placement and scope"
                    ));
                }
            }
        }
        Ok(settings)
    }

    /// These settings, and those of `other` where this one has none.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            capacity: self.capacity.or(other.capacity),
            keys: self.keys.or(other.keys),
            history: self.history.or(other.history),
            sessions: self.sessions.or(other.sessions),
            uniform_shards: self.uniform_shards.or(other.uniform_shards),
            dedicated: self.dedicated.or(other.dedicated),
            placement: self.placement.or(other.placement),
            scope: self.scope.or(other.scope),
        }
    }

    /// The options to create a board with these sizes.
    pub(super) fn apply(&self, mut options: Options) -> Options {
        if let Some(bytes) = self.capacity {
            options = options.capacity(bytes);
        }
        if let Some(keys) = self.keys {
            options = options.keys(keys);
        }
        if let Some(events) = self.history {
            options = options.history(events);
        }
        if let Some(sessions) = self.sessions {
            options = options.sessions(sessions);
        }
        if let Some(shards) = self.uniform_shards {
            options = options.uniform_shards(shards);
        }
        if let Some(names) = &self.dedicated {
            options = options.dedicated(names);
        }
        options
    }

    /// How a board of this shape differs from these settings. A capacity that is rounded up is no difference.
    pub(super) fn differences(
        &self,
        has: &Shape,
        placement: Placement,
        scope: Scope,
    ) -> Result<Vec<Difference>> {
        let asked = self.apply(Options::default()).shape()?;
        let names = |shape: &Shape| shape.dedicated.join(" ");
        let pairs = [
            ("placement", self.placement.map(|asked| (placement.to_string(), asked.to_string()))),
            ("scope", self.scope.map(|asked| (scope.to_string(), asked.to_string()))),
            ("capacity", self.capacity.map(|_| (has.capacity.to_string(), asked.capacity.to_string()))),
            ("keys", self.keys.map(|_| (has.keys.to_string(), asked.keys.to_string()))),
            ("history", self.history.map(|_| (has.history.to_string(), asked.history.to_string()))),
            ("sessions", self.sessions.map(|_| (has.sessions.to_string(), asked.sessions.to_string()))),
            (
                "uniform_shards",
                self.uniform_shards
                    .map(|_| (has.uniform_shards.to_string(), asked.uniform_shards.to_string())),
            ),
            ("dedicated", self.dedicated.as_ref().map(|_| (names(has), names(&asked)))),
        ];
        let asked_for =
            pairs.into_iter().filter_map(|(name, pair)| pair.map(|(has, asked)| (name, has, asked)));
        let differing = asked_for.filter(|(_, has, asked)| has != asked);
        Ok(differing.map(|(name, has, asked)| Difference { name, has, asked }).collect())
    }
}

fn invalid(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("the settings are invalid: {why}")).at_path(path)
}

fn parsed<'de, T: Deserialize<'de>>(name: &str, value: toml::Value) -> Result<T, String> {
    value.try_into().map_err(|error: toml::de::Error| format!("{name}: {}", error.message()))
}

fn number(name: &str, value: &toml::Value) -> Result<u64, String> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| format!("{name} must be a whole number, not {value}"))
}

/// A number of bytes, or text such as `"64M"`, in powers of 1,024.
fn size(value: &toml::Value) -> Result<u64, String> {
    let wrong = || format!("capacity must be a number of bytes or text such as \"64M\", not {value}");
    let Some(text) = value.as_str() else { return number("capacity", value).map_err(|_| wrong()) };
    let digits = text.trim_end_matches(|char: char| !char.is_ascii_digit());
    let unit: u64 = match text.get(digits.len()..).unwrap_or_default().trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "T" | "TiB" => 1 << 40,
        _ => return Err(wrong()),
    };
    digits.parse().ok().and_then(|number: u64| number.checked_mul(unit)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_settings_are_read_and_tables_are_left_alone() {
        let text = "capacity = \"8M\"\nkeys = 100\nhistory = 64\nsessions = 7\nuniform_shards = 2\n\
                    dedicated = [\"build\"]\nplacement = \"project\"\nscope = \"worktree\"\n[alerts]\nfull = 80\n";
        let settings = Settings::parse(text).expect("settings");
        let expected = Settings {
            capacity: Some(8 << 20),
            keys: Some(100),
            history: Some(64),
            sessions: Some(7),
            uniform_shards: Some(2),
            dedicated: Some(vec!["build".into()]),
            placement: Some(Placement::Project),
            scope: Some(Scope::Worktree),
        };
        assert_eq!(settings, expected);
        assert_eq!(Settings::parse(""), Ok(Settings::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("capacitiy = 1", "capacitiy"),
            ("capacity = \"much\"", "\"64M\""),
            ("capacity = -1", "\"64M\""),
            ("capacity = \"99999999T\"", "\"64M\""),
            ("keys = -1", "keys must be a whole number"),
            ("history = 1.5", "history must be a whole number"),
            ("placement = \"moon\"", "placement: unknown variant `moon`"),
            ("dedicated = 7", "dedicated: "),
            ("keys", "expected"),
        ] {
            let why = Settings::parse(text).expect_err(text);
            assert!(why.contains(words), "{text}: {why}");
        }
    }

    #[test]
    fn a_size_has_a_unit_or_none() {
        for (text, bytes) in
            [("\"64M\"", 64 << 20), ("\"1 GiB\"", 1 << 30), ("4096", 4096), ("\"512K\"", 512 << 10)]
        {
            let settings = Settings::parse(&format!("capacity = {text}")).expect(text);
            assert_eq!(settings.capacity, Some(bytes), "{text}");
        }
    }

    #[test]
    fn only_what_was_asked_for_can_differ() {
        let has = Options::default().capacity(5_000_001).shape().expect("shape");
        let differences = |settings: Settings| {
            let found = settings.differences(&has, Placement::Memory, Scope::Project).expect("compared");
            found.into_iter().map(|differs| differs.name).collect::<Vec<_>>()
        };
        assert_eq!(differences(Settings::default()), Vec::<&str>::new());
        let same = Settings { capacity: Some(5_000_001), keys: Some(65_536), ..Settings::default() };
        assert_eq!(differences(same), Vec::<&str>::new(), "the capacity is rounded up in both");
        let all = Settings {
            capacity: Some(8 << 20),
            keys: Some(1),
            history: Some(64),
            sessions: Some(1),
            uniform_shards: Some(1),
            dedicated: Some(Vec::new()),
            placement: Some(Placement::Project),
            scope: Some(Scope::Worktree),
        };
        let names =
            ["placement", "scope", "capacity", "keys", "history", "sessions", "uniform_shards", "dedicated"];
        assert_eq!(differences(all), names);
    }
}
