//! The name of a run, as PyTorch gives one.

use crate::directory::host_name;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Returns the directory of a run that is named by time and machine:
/// `runs/{Mon}{DD}_{HH}-{MM}-{SS}_{host}{comment}`.
///
/// PyTorch's `SummaryWriter` names runs so. The time is UTC here: the standard library knows no
/// other. Two runs of one second have one name; the second one is refused by
/// [`EventWriter::create`](crate::EventWriter::create). A comment often begins with `_`. A slash or
/// another separator of paths in it becomes `-`.
///
/// # Examples
/// ```
/// let directory = tensorboard::default_run_directory("_lr=0.1");
/// assert!(directory.starts_with("runs"));
/// assert!(directory.to_string_lossy().ends_with("_lr=0.1"));
/// ```
#[must_use]
pub fn default_run_directory(comment: &str) -> PathBuf {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let comment = comment.replace(['/', '\\'], "-");
    PathBuf::from("runs").join(format!("{}_{}{comment}", stamp(seconds), host_name()))
}

/// Returns `Mon DD_HH-MM-SS`, without the space, of a time in seconds since 1970.
fn stamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (month, day) = month_and_day(days);
    format!(
        "{}{day:02}_{:02}-{:02}-{:02}",
        MONTHS[month],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Returns the month, from 0, and the day, from 1, of a day since 1970-01-01.
///
/// # References
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years begin in
/// March, so that the leap day is the last one, and months have 153 days in five.
fn month_and_day(days: u64) -> (usize, u64) {
    let day_of_era = (days + 719_468) % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = usize::try_from((from_march + 2) % 12).expect("there are twelve months");
    (month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_names_that_the_calendar_gives_them() {
        // `date -u -d @SECONDS +%b%d_%H-%M-%S` of GNU coreutils.
        for (seconds, expected) in [
            (0, "Jan01_00-00-00"),
            (951_782_399, "Feb28_23-59-59"),
            (951_782_400, "Feb29_00-00-00"),
            (951_868_800, "Mar01_00-00-00"),
            (1_709_210_096, "Feb29_12-34-56"),
            (1_735_689_599, "Dec31_23-59-59"),
            (4_107_542_400, "Mar01_00-00-00"),
            (1_782_475_200, "Jun26_12-00-00"),
        ] {
            assert_eq!(stamp(seconds), expected);
        }
    }
}
