//! Mutants of `src/board/lease.rs`.

use super::{Mutant, test, torture};

const FILE: &str = "src/board/lease.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a renewal does not ask for the lease's version",
        lost: "A holder takes a lease back that another has taken by force.",
        file: FILE,
        search: "match put(session, key, ttl, Expect::Version(current)) {",
        replace: "match put(session, key, ttl, if current > 0 { Expect::Any } else { Expect::Absent }) {",
        caught_by: &[
            test(
                "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
            ),
            torture("--kills 60 --seed 1"),
        ],
    },
    Mutant {
        name: "a release does not ask for the lease's version",
        lost: "A holder removes a lease that another has taken by force.",
        file: FILE,
        search: "match self.session.remove_if(&self.key, Expect::Version(version)) {",
        replace: "match self.session.remove_if(&self.key, if version > 0 { Expect::Any } else { Expect::Absent }) {",
        caught_by: &[
            test(
                "-p slateboard --test leases who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases",
            ),
            torture("--kills 60 --seed 1"),
        ],
    },
    Mutant {
        name: "a lease is taken whoever has it",
        lost: "Two sessions hold one lease.",
        file: FILE,
        search: "put(&session, key, ttl, Expect::Absent)",
        replace: "put(&session, key, ttl, if ttl.is_zero() { Expect::Absent } else { Expect::Any })",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
    Mutant {
        name: "a lease is held whoever's entry stands there",
        lost: "A holder goes on although another has taken the lease by force.",
        file: FILE,
        search: "meta.is_some_and(|meta| meta.version == version)",
        replace: "meta.is_some_and(|meta| meta.version >= version)",
        caught_by: &[torture("--kills 60 --seed 1")],
    },
];
