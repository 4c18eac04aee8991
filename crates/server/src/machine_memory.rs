//! How much memory this process may use: that of the machine, or less where a control group (a container) limits it.
//! `config` takes a quarter of it when nobody said otherwise.

use std::path::Path;

/// Where control groups are mounted.
const GROUPS: &str = "/sys/fs/cgroup";
/// Groups within one another that are looked at.
const DEPTH_MAX: usize = 64;

/// `None` where the system does not say.
pub(crate) fn bytes() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok();
    let limit = groups.and_then(|groups| group_limit(&groups, Path::new(GROUPS)));
    machine.into_iter().chain(limit).min()
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The least limit of the process's groups and of those around them. `groups` is `/proc/self/cgroup`: lines of
/// `number:controllers:path`, without controllers for version 2.
fn group_limit(groups: &str, mounted: &Path) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        match controllers {
            "" => least(mounted, path, "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                least(&mounted.join("memory"), path, "memory.limit_in_bytes")
            }
            _ => None,
        }
    });
    limits.min()
}

/// A container sees its own group at the mount, whatever its path says: the mount itself is always looked at.
fn least(mounted: &Path, path: &str, file: &str) -> Option<u64> {
    let own = mounted.join(path.trim_start_matches('/'));
    let around = own.ancestors().take(DEPTH_MAX).take_while(|group| group.starts_with(mounted));
    let read = |group: &Path| std::fs::read_to_string(group.join(file)).ok()?.trim().parse().ok();
    // `max` is no number: no limit.
    around.chain([mounted]).filter_map(read).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_a_groups_line_counts() {
        let mounted = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = mounted.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (path, text) in [
            ("memory.max", "max\n"),
            ("pod/memory.max", "1000000\n"),
            ("pod/one/memory.max", "max\n"),
            ("pod/two/memory.max", "5000\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/docker/abc/memory.limit_in_bytes", "70000\n"),
        ] {
            write(path, text);
        }
        for (groups, limit) in [
            ("", None),
            ("0::/", None),
            ("0::/pod/one\n", Some(1_000_000)),
            ("0::/pod/two\n", Some(5_000)),
            ("0::/pod/gone\n", Some(1_000_000)),
            ("0::/../../elsewhere\n", None),
            ("5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n", Some(70_000)),
            ("4:hugetlb,memory:/not/here\n", Some(9_223_372_036_854_771_712)),
            ("nonsense\n::\n", None),
        ] {
            assert_eq!(group_limit(groups, mounted.path()), limit, "{groups:?}");
        }
    }

    #[test]
    fn the_machine_says_how_much_it_has() {
        assert_eq!(total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16 << 20));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }
}
