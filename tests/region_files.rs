//! Regions as files: made whole, opened only when they are what they say, and never changed by a refusal.

use rustix::fs::{AtFlags, CWD, Mode, linkat};
use slateboard::{
    Error, ErrorKind,
    layout::{Geometry, Shape, header},
    region::{self, Access, Doorbell, LockFile, Mapping, Moved, RegionFile, Whereabouts, refusal::Refusal},
    sync::Ordering,
};
use std::{
    fs,
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Barrier,
};
use tempfile::TempDir;

fn geometry() -> Geometry {
    Geometry::new(Shape::sized(1 << 20, 1024, 64, 4), 77).unwrap()
}

fn make(path: &Path) -> RegionFile {
    region::create(path, &geometry(), |words| words[header::GENERATION].store(41, Ordering::Relaxed)).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with a sound board in it.
fn board() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    make(&path);
    (folder, path)
}

/// Opening fails for this reason, says what to do, and changes not one byte.
#[track_caller]
fn assert_refused(path: &Path, expected: &Refusal, kind: ErrorKind) {
    let before = fs::read(path).ok();
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let error = region::open(path, access).unwrap_err();
        assert_eq!((Refusal::of(&error), error.kind()), (Some(expected), kind), "{error}");
        let text = error.to_string();
        assert!(text.starts_with(path.to_str().unwrap()) && text.ends_with(expected.next()), "{text}");
        assert!(text.contains(&expected.to_string()), "{text}");
    }
    assert!(fs::read(path).ok() == before, "a refused open changed the file");
}

fn overwrite(path: &Path, word: usize, value: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&value.to_le_bytes(), word as u64 * 8).unwrap();
}

#[test]
fn what_is_created_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deeper/board");
    let made = make(&path);
    let opened = region::open(&path, Access::ReadWrite).unwrap();
    let reader = region::open(&path, Access::ReadOnly).unwrap();
    assert_eq!((made.identity, made.identity), (opened.identity, reader.identity));
    assert_eq!(opened.geometry.shape(), geometry().shape());
    assert_eq!(reader.geometry.hash(b"key"), made.geometry.hash(b"key"));
    assert_eq!(opened.mapping.words().len(), geometry().words());
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    // The kernel names files by their own paths, whatever links led there.
    let name = fs::canonicalize(&path).unwrap();
    let name = name.to_str().unwrap();
    assert_eq!(maps.lines().filter(|line| line.contains(name) && line.contains(" r--s ")).count(), 1);
    made.mapping.words()[header::FLOOR].store(5, Ordering::Relaxed);
    let seen =
        [header::GENERATION, header::FLOOR].map(|at| reader.mapping.words()[at].load(Ordering::Relaxed));
    assert_eq!(seen, [41, 5]);
    assert!(made.identity.uuid != [0; 2] && made.identity.boot == region::identity::boot_id());
}

#[test]
fn a_board_is_its_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub/board");
    make(&path);
    Doorbell::open_or_create(&path, 3).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["board", "board.lock", "board.bell"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600);
    }
    assert_eq!(names(path.parent().unwrap()), ["board", "board.bell", "board.lock"]);
}

#[test]
fn the_fixed_part_is_on_reserved_pages_and_extents_are_not_until_asked() {
    let (_folder, path) = board();
    let board = region::open(&path, Access::ReadWrite).unwrap();
    let blocks = |path: &Path| fs::metadata(path).unwrap().blocks() * 512;
    let before = blocks(&path);
    assert!(before >= geometry().fixed_words() as u64 * 8 && before < geometry().words() as u64 * 8);
    for _ in 0..2 {
        board.reserve_extents(0..board.geometry.extents(), |_| {}).unwrap();
    }
    assert!(blocks(&path) >= fs::metadata(&path).unwrap().len() / 4096 * 4096);
    assert_eq!(fs::metadata(&path).unwrap().len(), geometry().words() as u64 * 8);
}

#[test]
fn of_many_creators_one_makes_the_board_and_all_open_it() {
    for folder in [tempfile::tempdir().unwrap(), tempfile::tempdir_in("/dev/shm").unwrap()] {
        let path = folder.path().join("x/board");
        let start = Barrier::new(6);
        let outcomes: Vec<Result<[u64; 2], Error>> = std::thread::scope(|scope| {
            let creators: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        region::create(&path, &geometry(), |_| {}).map(|board| board.identity.uuid)
                    })
                })
                .collect();
            creators.into_iter().map(|creator| creator.join().unwrap()).collect()
        });
        let uuid = region::open(&path, Access::ReadOnly).unwrap().identity.uuid;
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.as_ref().is_ok_and(|made| *made == uuid)).count(),
            1
        );
        let losers = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        let kinds: Vec<_> = losers.map(Error::kind).collect();
        assert_eq!(kinds, [ErrorKind::Exists; 5]);
        assert_eq!(names(path.parent().unwrap()), ["board", "board.lock"]);
    }
}

#[test]
fn creating_never_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    fs::write(&path, "precious").unwrap();
    let error = region::create(&path, &geometry(), |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    symlink("nowhere", folder.path().join("link")).unwrap();
    let error = region::create(&folder.path().join("link"), &geometry(), |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
}

#[test]
fn a_failed_creation_leaves_no_board() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    let failure = |_: &RegionFile| Err(Error::codec("the snapshot is damaged"));
    let error = region::create::create_with(&path, &geometry(), failure).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Codec && error.to_string().starts_with(path.to_str().unwrap()),
        "{error}"
    );
    assert_eq!(names(folder.path()), ["board.lock"]);
    make(&path);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/board");
    let error = region::create(&path, &geometry(), |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(region::open(&path, Access::ReadOnly).unwrap_err().is_not_found());
}

#[test]
fn a_missing_board_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let error = region::open(&folder.path().join("board"), Access::ReadWrite).unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[test]
fn a_path_that_moved_on_is_noticed() {
    let (folder, path) = board();
    let board = region::open(&path, Access::ReadWrite).unwrap();
    assert_eq!(board.whereabouts(), Whereabouts::Here);
    fs::rename(&path, folder.path().join("aside")).unwrap();
    assert_eq!(board.whereabouts(), Whereabouts::Moved(Moved::Gone));
    make(&path);
    assert_eq!(board.whereabouts(), Whereabouts::Moved(Moved::Replaced));
    fs::remove_file(&path).unwrap();
    fs::rename(folder.path().join("aside"), &path).unwrap();
    assert_eq!(board.whereabouts(), Whereabouts::Here);
    // Looked up through the folder that was opened, whatever its path is now.
    let elsewhere = folder.path().with_extension("renamed");
    fs::rename(folder.path(), &elsewhere).unwrap();
    assert_eq!(board.whereabouts(), Whereabouts::Here);
    fs::remove_dir_all(&elsewhere).unwrap();
    assert_eq!(board.whereabouts(), Whereabouts::Moved(Moved::Gone));
    fs::create_dir(folder.path()).unwrap();
}

#[test]
fn a_region_that_was_cut_short_has_moved() {
    let (_folder, path) = board();
    let board = region::open(&path, Access::ReadWrite).unwrap();
    let len_bytes = fs::metadata(&path).unwrap().len();
    let set_len =
        |len_bytes| fs::File::options().write(true).open(&path).unwrap().set_len(len_bytes).unwrap();
    set_len(len_bytes - 1);
    assert_eq!(board.whereabouts(), Whereabouts::Moved(Moved::Cut));
    set_len(len_bytes + 1);
    assert_eq!(board.whereabouts(), Whereabouts::Here);
}

#[test]
fn a_foreign_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    for bytes in [vec![b'x'; 64 << 10], vec![0; 64 << 10], vec![b'x'; 100], vec![b'x'; 3], vec![]] {
        fs::write(&path, bytes).unwrap();
        // Whatever its mode and its names are: nobody is advised to change another file's.
        for mode in [0o600, 0o644, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_refused(&path, &Refusal::Foreign, ErrorKind::Refused);
        }
        let second = folder.path().join("second");
        fs::hard_link(&path, &second).unwrap();
        assert_refused(&path, &Refusal::Foreign, ErrorKind::Refused);
        fs::remove_file(second).unwrap();
    }
}

#[test]
fn a_board_that_was_cut_off_is_corrupt() {
    let (_folder, path) = board();
    for bytes in [100, 8] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes).unwrap();
        assert_refused(&path, &Refusal::TooShort(bytes), ErrorKind::Corrupt);
    }
}

#[test]
fn a_header_of_another_build_is_incompatible() {
    let swapped = header::ENDIANNESS_VALUE.swap_bytes();
    for (word, value, refusal) in [
        (header::VERSION, 99, Refusal::Format(99)),
        (header::FINGERPRINT, 7, Refusal::Fingerprint(7)),
        (header::ENDIANNESS, swapped, Refusal::Endianness),
        (header::MAGIC, header::MAGIC_VALUE.swap_bytes(), Refusal::Endianness),
    ] {
        let (_folder, path) = board();
        overwrite(&path, word, value);
        assert_refused(&path, &refusal, ErrorKind::Incompatible);
    }
}

/// Writes the header anew as of another boot.
fn give_another_boot(path: &Path) {
    let made = region::open(path, Access::ReadOnly).unwrap();
    let region::file::Identity { uuid, boot, created_ns, .. } = made.identity;
    let origin = region::header::Origin { uuid, boot: [boot[0] ^ 1, boot[1]], created_ns };
    for (at, word) in region::header::encode(&made.geometry, &origin).into_iter().enumerate() {
        overwrite(path, at, word);
    }
}

#[test]
fn a_region_of_another_boot_is_refused() {
    let (_folder, path) = board();
    give_another_boot(&path);
    assert_refused(&path, &Refusal::OtherBoot, ErrorKind::Refused);

    // A claim of one second is not there for ever after a restart, and nobody of before is alive.
    let path = path.with_file_name("used");
    let board = slateboard::Board::options().capacity(1 << 20).create(&path).unwrap();
    let session = board.attach("before the restart").unwrap();
    session.lease("claim", std::time::Duration::from_secs(1)).unwrap();
    drop((session, board));
    give_another_boot(&path);
    assert_refused(&path, &Refusal::OtherBoot, ErrorKind::Refused);
    assert!(slateboard::Board::open_or_create(&path).is_err(), "nor is it replaced in silence");
}

#[test]
fn features_of_a_newer_build_are_refused_to_those_who_must_know_them() {
    let (_folder, path) = board();
    let made = region::open(&path, Access::ReadOnly).unwrap();
    let origin = region::header::Origin {
        uuid: made.identity.uuid,
        boot: made.identity.boot,
        created_ns: made.identity.created_ns,
    };
    let write = |incompatible: u64, read_compatible: u64| {
        let mut words = region::header::encode(&geometry(), &origin);
        words[header::INCOMPATIBLE] = incompatible;
        words[header::READ_COMPATIBLE] = read_compatible;
        region::header::seal(&mut words);
        for (at, word) in words.into_iter().enumerate() {
            overwrite(&path, at, word);
        }
    };
    write(0, 2);
    assert_refused(&path, &Refusal::UnknownToReaders(2), ErrorKind::Incompatible);
    write(4, 0);
    let error = region::open(&path, Access::ReadWrite).unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::UnknownToWriters(4)));
    assert!(region::open(&path, Access::ReadOnly).is_ok());
}

#[test]
fn a_damaged_header_is_corrupt() {
    for word in [header::UUID, header::SEED, header::GEOMETRY, header::GEOMETRY_CHECKSUM] {
        let (_folder, path) = board();
        let mut bytes = [0; 8];
        fs::File::open(&path).unwrap().read_exact_at(&mut bytes, word as u64 * 8).unwrap();
        overwrite(&path, word, u64::from_le_bytes(bytes) ^ 1 << 17);
        assert_refused(&path, &Refusal::Checksum, ErrorKind::Corrupt);
    }
}

#[test]
fn a_file_of_another_size_is_never_mapped() {
    let expected = geometry().words() as u64 * 8;
    for found in [expected - 4096, expected + 4096, expected - 1, expected + 8, 4096] {
        let (_folder, path) = board();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(found).unwrap();
        assert_refused(&path, &Refusal::Size { expected, found }, ErrorKind::Corrupt);
    }
}

#[test]
fn only_a_regular_file_is_opened() {
    let (folder, path) = board();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    assert_refused(&at("folder"), &Refusal::NotRegular, ErrorKind::Refused);
    symlink(&path, at("link")).unwrap();
    assert_refused(&at("link"), &Refusal::SymbolicLink, ErrorKind::Refused);
    let _listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    assert_refused(&at("socket"), &Refusal::NotRegular, ErrorKind::Refused);
    rustix::fs::mknodat(CWD, at("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let error = region::open(&at("pipe"), Access::ReadOnly).unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::NotRegular));
}

#[test]
fn a_file_that_others_share_is_refused() {
    let (folder, path) = board();
    linkat(CWD, &path, CWD, folder.path().join("second"), AtFlags::empty()).unwrap();
    assert_refused(&path, &Refusal::Links(2), ErrorKind::Refused);

    let (_folder, path) = board();
    for mode in [0o644, 0o660, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_refused(&path, &Refusal::Mode(mode), ErrorKind::Refused);
    }
}

#[test]
fn the_file_of_another_user_is_refused() {
    let (_folder, path) = board();
    match std::os::unix::fs::chown(&path, Some(12_345), None) {
        Ok(()) => assert_refused(&path, &Refusal::Owner(12_345), ErrorKind::Refused),
        Err(error) => eprintln!("skipped: only root may give files away ({error})"),
    }
}

#[test]
fn an_incoherent_file_system_is_refused_with_its_name() {
    let error = Refusal::FileSystem("NFS").at(Path::new("board"));
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("is on NFS") && error.to_string().contains("tmpfs"), "{error}");
}

#[test]
fn a_byte_has_one_holder_at_a_time() {
    let (_folder, path) = board();
    let (first, second) = (LockFile::open(&path).unwrap(), LockFile::open(&path).unwrap());
    let certificate = first.try_hold(3).unwrap().unwrap();
    assert!(second.is_held(3).unwrap() && !second.is_held(2).unwrap() && !second.is_held(4).unwrap());
    assert!(second.try_hold(3).unwrap().is_none() && first.try_hold(3).unwrap().is_none());
    let other = second.try_hold(4).unwrap();
    assert!(other.is_some());
    drop(certificate);
    assert!(!second.is_held(3).unwrap() && second.is_held(4).unwrap());
    assert!(second.try_hold(3).unwrap().is_some());
    let error = first.try_hold(u64::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_board_without_its_lock_file_is_refused_and_never_given_another() {
    let (_folder, path) = board();
    let locks = LockFile::open(&path).unwrap();
    let lock_path = path.with_extension("lock");
    fs::remove_file(&lock_path).unwrap();
    let error = LockFile::open(&path).unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::NoLockFile), "{error}");
    assert_eq!(Refusal::of(&locks.try_hold(1).unwrap_err()), Some(&Refusal::NoLockFile));
    fs::write(&lock_path, "").unwrap();
    fs::set_permissions(&lock_path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(Refusal::of(&locks.try_hold(1).unwrap_err()), Some(&Refusal::Replaced));
}

#[test]
fn a_lock_file_is_checked_like_a_board_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    let lock = folder.path().join("board.lock");
    symlink("elsewhere", &lock).unwrap();
    let error = region::create(&path, &geometry(), |_| {}).unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::SymbolicLink), "{error}");
    assert_eq!(names(folder.path()), ["board.lock"]);
    fs::remove_file(&lock).unwrap();
    fs::write(&lock, "left alone").unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
    make(&path);
    assert_eq!(fs::read(&lock).unwrap(), b"left alone");
}

#[test]
fn a_small_doorbell_is_refused() {
    let (_folder, path) = board();
    let bell = path.with_file_name("board.bell");
    fs::write(&bell, "").unwrap();
    fs::set_permissions(&bell, fs::Permissions::from_mode(0o600)).unwrap();
    let error = Doorbell::open_or_create(&path, 3).unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::Size { expected: 4096, found: 0 }), "{error}");
    assert!(Doorbell::try_open(&path, 3).is_none());
}

#[test]
fn handles_are_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Mapping>();
    shared::<RegionFile>();
    shared::<LockFile>();
    shared::<region::Certificate>();
    shared::<Doorbell>();
    shared::<region::ForkPage>();
}
