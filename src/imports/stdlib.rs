//! The modules of the standard library, by version of Python.
//!
//! Top-level names of 2.7 and of 3.6 to 3.15, from the `stdlibs` package's lists (2026.9.3), which are made of CPython's
//! own sources; for 3.10 to 3.13 compared with `sys.stdlib_module_names` of real interpreters. A name that is listed may
//! still be absent: it belongs to another platform (`winreg`), the interpreter was built without it, or the system's
//! distributor ships it apart ([`debian_package`]).

use crate::facts::interpreter::Version;

/// In every version from 3.6 to 3.15.
const LASTING: &str = "\
    __future__ __hello__ __phello__ _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk \
    _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _compat_pickle _csv \
    _ctypes _ctypes_test _curses _curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib \
    _frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _io _json _locale _lsprof _lzma \
    _markupbase _md5 _multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle \
    _posixsubprocess _pydecimal _pyio _random _scproxy _sha1 _sha3 _signal _sitebuiltins _socket \
    _sqlite3 _sre _ssl _stat _string _strptime _struct _symtable _testbuffer _testcapi _testconsole \
    _testimportmultiple _testmultiphase _thread _threading_local _tkinter _tracemalloc _warnings \
    _weakref _weakrefset _winapi abc antigravity argparse array ast asyncio atexit base64 bdb binascii \
    bisect builtins bz2 cProfile calendar cmath cmd code codecs codeop collections colorsys compileall \
    concurrent configparser contextlib copy copyreg csv ctypes curses datetime dbm decimal difflib dis \
    doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions \
    ftplib functools gc genericpath getopt getpass gettext glob grp gzip hashlib heapq hmac html http \
    idlelib imaplib importlib inspect io ipaddress itertools json keyword linecache locale logging lzma \
    mailbox marshal math mimetypes mmap modulefinder msvcrt multiprocessing netrc nt ntpath nturl2path \
    numbers opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib \
    posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue \
    quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve \
    shlex shutil signal site smtplib socket socketserver sqlite3 ssl stat statistics string stringprep \
    struct subprocess symtable sys sysconfig syslog tabnanny tarfile tempfile termios textwrap this \
    threading time timeit tkinter token tokenize trace traceback tracemalloc tty turtle turtledemo types \
    typing unicodedata unittest urllib uuid venv warnings wave weakref webbrowser winreg winsound \
    wsgiref xml xmlrpc xx xxsubtype zipapp zipfile zipimport zlib";

/// In some versions of Python 3 alone: the name, the first minor version (6: since 3.6 or before), the last (15: 3.15 or
/// later).
const CHANGED: &[(&str, u32, u32)] = &[
    ("__hello_alias__", 11, 15),
    ("__hello_only__", 11, 15),
    ("__phello_alias__", 11, 15),
    ("_abc", 7, 15),
    ("_aix_support", 9, 15),
    ("_android_support", 13, 15),
    ("_apple_support", 13, 15),
    ("_ast_unparse", 14, 15),
    ("_bootlocale", 6, 9),
    ("_bootsubprocess", 9, 11),
    ("_colorize", 13, 15),
    ("_compression", 6, 13),
    ("_contextvars", 7, 15),
    ("_crypt", 6, 12),
    ("_distutils_findvs", 6, 6),
    ("_dummy_thread", 6, 8),
    ("_hmac", 14, 15),
    ("_interpchannels", 13, 15),
    ("_interpqueues", 13, 15),
    ("_interpreters", 13, 15),
    ("_ios_support", 13, 15),
    ("_math_integer", 15, 15),
    ("_msi", 6, 12),
    ("_opcode_metadata", 13, 15),
    ("_peg_parser", 9, 9),
    ("_posixshmem", 8, 15),
    ("_py_abc", 7, 15),
    ("_py_warnings", 14, 15),
    ("_pydatetime", 12, 15),
    ("_pylong", 12, 15),
    ("_pyrepl", 13, 15),
    ("_queue", 7, 15),
    ("_remote_debugging", 14, 15),
    ("_sha2", 12, 15),
    ("_sha256", 6, 11),
    ("_sha512", 6, 11),
    ("_statistics", 8, 15),
    ("_suggestions", 13, 15),
    ("_sysconfig", 13, 15),
    ("_testcapi_datetime", 13, 15),
    ("_testclinic", 10, 15),
    ("_testclinic_limited", 13, 15),
    ("_testexternalinspection", 13, 13),
    ("_testinternalcapi", 8, 15),
    ("_testlimitedcapi", 13, 15),
    ("_testsinglephase", 12, 15),
    ("_tokenize", 11, 15),
    ("_types", 14, 15),
    ("_typing", 11, 15),
    ("_uuid", 7, 15),
    ("_wmi", 12, 15),
    ("_xxinterpchannels", 12, 12),
    ("_xxsubinterpreters", 8, 12),
    ("_xxtestfuzz", 7, 15),
    ("_zoneinfo", 9, 15),
    ("_zstd", 14, 15),
    ("aifc", 6, 12),
    ("annotationlib", 14, 15),
    ("asynchat", 6, 11),
    ("asyncore", 6, 11),
    ("audioop", 6, 12),
    ("binhex", 6, 10),
    ("cgi", 6, 12),
    ("cgitb", 6, 12),
    ("chunk", 6, 12),
    ("compression", 14, 15),
    ("contextvars", 7, 15),
    ("crypt", 6, 12),
    ("dataclasses", 7, 15),
    ("distutils", 6, 11),
    ("dummy_threading", 6, 8),
    ("formatter", 6, 9),
    ("fpectl", 6, 6),
    ("fpetest", 6, 6),
    ("graphlib", 9, 15),
    ("imghdr", 6, 12),
    ("imp", 6, 11),
    ("lib2to3", 6, 12),
    ("macpath", 6, 7),
    ("macurl2path", 6, 6),
    ("mailcap", 6, 12),
    ("msilib", 6, 12),
    ("nis", 6, 12),
    ("nntplib", 6, 12),
    ("ossaudiodev", 6, 12),
    ("parser", 6, 9),
    ("pipes", 6, 12),
    ("profiling", 15, 15),
    ("smtpd", 6, 11),
    ("sndhdr", 6, 12),
    ("spwd", 6, 12),
    ("sre_compile", 6, 14),
    ("sre_constants", 6, 14),
    ("sre_parse", 6, 14),
    ("sunau", 6, 12),
    ("symbol", 6, 9),
    ("telnetlib", 6, 12),
    ("tomllib", 11, 15),
    ("uu", 6, 12),
    ("xdrlib", 6, 12),
    ("xxlimited", 6, 14),
    ("xxlimited_35", 10, 15),
    ("xxlimited_3_13", 15, 15),
    ("zoneinfo", 9, 15),
];

/// In 2.7.
const PYTHON_2: &str = "\
    AL Audio_mac BaseHTTPServer Bastion CD CDIO CDROM CGIHTTPServer CL CL_old Canvas Carbon ColorPicker \
    ConfigParser Cookie DEVICE DLFCN Dialog DocXMLRPCServer ERRNO EasyDialogs FILE FL FileDialog FixTk \
    FrameWork GET GL GLWS HTMLParser IN IOCTL MacOS MimeWriter MiniAEFrame Nav OSATerminology \
    PixMapWrapper Queue SOCKET STROPTS SUNAUDIODEV SV ScrolledText SimpleDialog SimpleHTTPServer \
    SimpleXMLRPCServer SocketServer StringIO TYPES Tix Tkconstants Tkdnd Tkinter UserDict UserList \
    UserString WAIT _AE _AH _App _CF _CG _CarbonEvt _Cm _Ctl _Dlg _Drag _Evt _File _Fm _Folder _Help \
    _IBCarbon _Icn _LWPCookieJar _Launch _List _Menu _Mlte _MozillaCookieJar _OSA _Qd _Qdoffs _Qt _Res \
    _Scrap _Snd _TE _Win __builtin__ __future__ __hello__ __phello__ _abcoll _ast _bisect _bsddb _codecs \
    _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _csv _ctypes \
    _ctypes_test _curses _curses_panel _elementtree _emx_link _functools _hashlib _heapq _hotshot _io \
    _json _locale _lsprof _md5 _msi _multibytecodec _multiprocessing _osx_support _pybsddb _pyio _random \
    _scproxy _sha _sha256 _sha512 _socket _sqlite3 _sre _ssl _strptime _struct _subprocess _symtable \
    _testcapi _threading_local _tkinter _warnings _weakref _weakrefset _winreg abc aepack aetools \
    aetypes aifc al antigravity anydbm applesingle appletrawmain appletrunner argparse argvemulator \
    array ast asynchat asyncore atexit audiodev audioop autoGIL base64 bdb bgenlocations binascii binhex \
    bisect bsddb bsddb185 buildtools bundlebuilder bz2 cPickle cProfile cStringIO calendar cd cddb \
    cdplayer cfmfile cgi cgitb chunk cl cmath cmd code codecs codeop collections colorsys commands \
    compileall compiler contextlib cookielib copy copy_reg crypt csv ctypes curses datetime dbhash dbm \
    decimal difflib dircache dis distutils dl doctest dumbdbm dummy_thread dummy_threading email \
    encodings ensurepip errno exceptions fcntl filecmp fileinput findertools fl flp fm fnmatch formatter \
    fpectl fpetest fpformat fractions ftplib functools future_builtins gc gdbm genericpath \
    gensuitemodule gestalt getopt getpass gettext gl glob grp gzip hashlib heapq hmac hotshot \
    htmlentitydefs htmllib httplib ic icglue icopen idlelib ihooks imageop imaplib imgfile imghdr imp \
    importlib imputil inspect io itertools jpeg json keyword lib2to3 linecache linuxaudiodev locale \
    logging macerrors macostools macpath macresource macurl2path mailbox mailcap markupbase marshal math \
    md5 mhlib mimetools mimetypes mimify mmap modulefinder msilib msvcrt multifile multiprocessing mutex \
    netrc new nis nntplib nt ntpath nturl2path numbers opcode operator optparse os os2 os2emxpath \
    ossaudiodev panel panelparser parser pcre pdb pickle pickletools pimp pipes pkgutil platform \
    plistlib popen2 poplib posix posixfile posixpath pprint profile pstats pty pure pwd py_compile \
    pyclbr pydoc pydoc_data pyexpat quopri random re readcd readline repr resource rexec rfc822 rgbimg \
    riscosenviron riscospath rlcompleter robotparser rourl2path runpy sched select sets sgi sgmllib sha \
    shelve shlex shutil signal site smtpd smtplib sndhdr socket spwd sqlite3 sre sre_compile \
    sre_constants sre_parse ssl stat statvfs string stringold stringprep strop struct subprocess sunau \
    sunaudio sunaudiodev sv symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile \
    terminalcommand termios textwrap this thread threading time timeit timing tkColorChooser \
    tkCommonDialog tkFileDialog tkFont tkMessageBox tkSimpleDialog toaiff token tokenize torgb trace \
    traceback ttk tty turtle types unicodedata unittest urllib urllib2 urlparse user uu uuid videoreader \
    warnings wave weakref webbrowser whichdb winsound wsgiref xdrlib xml xmllib xmlrpclib xx xxsubtype \
    zipfile zipimport zlib";

fn listed(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|listed| listed == name)
}

/// Whether this top-level module is of the standard library of this version.
pub fn contains(version: Version, name: &str) -> bool {
    match version.major {
        2 => listed(PYTHON_2, name),
        _ => {
            listed(LASTING, name)
                || changed(name)
                    .is_some_and(|(since, last)| (since..=last).contains(&version.minor.clamp(6, 15)))
        }
    }
}

/// Whether any version of Python 3 has this top-level module.
pub fn knows(name: &str) -> bool {
    listed(LASTING, name) || changed(name).is_some()
}

fn changed(name: &str) -> Option<(u32, u32)> {
    CHANGED.iter().find(|(listed, ..)| *listed == name).map(|(_, since, last)| (*since, *last))
}

/// The names of this version, in no particular order.
pub fn names(version: Version) -> impl Iterator<Item = &'static str> {
    let (lasting, old) = if version.major == 2 { ("", PYTHON_2) } else { (LASTING, "") };
    let minor = version.minor.clamp(6, 15);
    let changed = CHANGED
        .iter()
        .filter(move |(_, since, last)| version.major != 2 && (*since..=*last).contains(&minor));
    lasting
        .split_ascii_whitespace()
        .chain(old.split_ascii_whitespace())
        .chain(changed.map(|(name, ..)| *name))
}

/// The version of Python 3 that took the module away, where this one is without it for that reason.
pub fn removed_in(version: Version, name: &str) -> Option<Version> {
    let (_, last) = changed(name).filter(|(_, last)| *last < 15)?;
    (version.major == 3 && version.minor > last).then(|| Version::new(3, last + 1, None))
}

/// The version of Python 3 that brought the module, where this one is too old for it.
pub fn added_in(version: Version, name: &str) -> Option<Version> {
    let (since, _) = changed(name).filter(|(since, _)| *since > 6)?;
    (version.major == 3 && version.minor < since).then(|| Version::new(3, since, None))
}

/// A top-level module under the name that Python 2 has for it, and what Python 3 calls it
/// (<https://docs.python.org/3/library/2to3.html>, `lib2to3/fixes/fix_imports.py`).
const RENAMED: &[(&str, &str)] = &[
    ("BaseHTTPServer", "http.server"),
    ("CGIHTTPServer", "http.server"),
    ("ConfigParser", "configparser"),
    ("Cookie", "http.cookies"),
    ("HTMLParser", "html.parser"),
    ("Queue", "queue"),
    ("SimpleHTTPServer", "http.server"),
    ("SocketServer", "socketserver"),
    ("StringIO", "io"),
    ("Tkinter", "tkinter"),
    ("UserDict", "collections"),
    ("__builtin__", "builtins"),
    ("anydbm", "dbm"),
    ("cPickle", "pickle"),
    ("cStringIO", "io"),
    ("commands", "subprocess"),
    ("cookielib", "http.cookiejar"),
    ("copy_reg", "copyreg"),
    ("dummy_thread", "_thread"),
    ("htmlentitydefs", "html.entities"),
    ("httplib", "http.client"),
    ("repr", "reprlib"),
    ("thread", "_thread"),
    ("tkFileDialog", "tkinter.filedialog"),
    ("tkMessageBox", "tkinter.messagebox"),
    ("urllib2", "urllib.request"),
    ("urlparse", "urllib.parse"),
    ("xmlrpclib", "xmlrpc.client"),
];

/// What Python 3 calls a module of Python 2's.
pub fn renamed_to(name: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
}

/// The package that Debian and its derivatives ship a part of the standard library in
/// (`debian/rules` of `python3.X` and `python3-stdlib-extensions`).
pub fn debian_package(version: Version, name: &str) -> Option<String> {
    let minor = version.minor;
    match name {
        _ if version.major != 3 => None,
        "tkinter" | "_tkinter" | "turtle" => Some("python3-tk".to_owned()),
        "venv" | "ensurepip" => Some(format!("python3.{minor}-venv")),
        "distutils" if minor < 12 => Some("python3-distutils".to_owned()),
        "lib2to3" if minor < 13 => Some("python3-lib2to3".to_owned()),
        "idlelib" => Some(format!("idle-python3.{minor}")),
        "_gdbm" => Some("python3-gdbm".to_owned()),
        "test" => Some(format!("libpython3.{minor}-testsuite")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(major: u32, minor: u32) -> Version {
        Version::new(major, minor, None)
    }

    #[test]
    fn knows_what_each_version_has() {
        for name in ["os", "sys", "tkinter", "winreg", "_thread"] {
            assert!(contains(python(3, 6), name) && contains(python(3, 15), name), "{name}");
        }
        assert!(contains(python(3, 11), "distutils") && !contains(python(3, 12), "distutils"));
        assert!(!contains(python(3, 10), "tomllib") && contains(python(3, 11), "tomllib"));
        assert!(contains(python(3, 20), "os") && contains(python(3, 4), "asyncore"));
        assert!(contains(python(2, 7), "urllib2") && !contains(python(3, 11), "urllib2"));
        assert!(!contains(python(3, 11), "six"));
        assert!(names(python(3, 12)).any(|name| name == "os"));
        assert!(names(python(3, 12)).all(|name| contains(python(3, 12), name)));
        assert!(names(python(2, 7)).all(|name| contains(python(2, 7), name)));
    }

    #[test]
    fn tells_since_when_a_module_is_gone() {
        assert_eq!(removed_in(python(3, 12), "distutils"), Some(python(3, 12)));
        assert_eq!(removed_in(python(3, 14), "cgi"), Some(python(3, 13)));
        assert_eq!(removed_in(python(3, 11), "distutils"), None);
        assert_eq!(removed_in(python(3, 14), "os"), None);
        assert_eq!(added_in(python(3, 8), "zoneinfo"), Some(python(3, 9)));
        assert_eq!(added_in(python(3, 9), "zoneinfo"), None);
        assert_eq!(renamed_to("urllib2"), Some("urllib.request"));
    }

    #[test]
    fn knows_what_debian_ships_apart() {
        assert_eq!(debian_package(python(3, 11), "tkinter").as_deref(), Some("python3-tk"));
        assert_eq!(debian_package(python(3, 12), "venv").as_deref(), Some("python3.12-venv"));
        assert_eq!(debian_package(python(3, 12), "distutils"), None);
    }
}
