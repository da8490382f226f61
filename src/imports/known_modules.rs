//! Modules that come from a distribution of another name: what to install for `import cv2`.
//!
//! Most modules are called like their distribution, hyphens aside; those are not listed. The rows of `TABLE` were
//! compared with the metadata of published distributions (`top_level.txt` and RECORD, through the index that pigar
//! 2.2.0 ships, and the wheels themselves where that index has none); those of `UNVERIFIED` have no such proof and are
//! from their projects' documentation. `SYSTEM` is what comes from an operating system's packages.

use crate::parse::names::normalize_name;

/// A module, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Dotted where several distributions share the first part: `google.protobuf`.
    pub module: &'static str,
    /// What provides it: the usual one first.
    pub distributions: &'static [&'static str],
    /// The index also has a distribution that is called like the module, and it is something else.
    pub decoy: bool,
}

impl Known {
    /// The distribution to install.
    pub fn distribution(&self) -> &'static str {
        self.distributions.first().copied().unwrap_or(self.module)
    }
}

const fn known(module: &'static str, distributions: &'static [&'static str]) -> Known {
    Known { module, distributions, decoy: false }
}

const fn decoy(module: &'static str, distributions: &'static [&'static str]) -> Known {
    Known { module, distributions, decoy: true }
}

/// Checked against published metadata.
const TABLE: &[Known] = &[
    decoy("AppKit", &["pyobjc-framework-Cocoa"]),
    decoy("Bio", &["biopython"]),
    decoy("Cheetah", &["Cheetah3"]),
    decoy("Crypto", &["pycryptodome"]),
    known("Cryptodome", &["pycryptodomex"]),
    known("Foundation", &["pyobjc-framework-Cocoa"]),
    known("Levenshtein", &["Levenshtein", "python-Levenshtein"]),
    decoy("MeCab", &["mecab-python3"]),
    known("MySQLdb", &["mysqlclient"]),
    known("OpenGL", &["PyOpenGL"]),
    known("OpenSSL", &["pyOpenSSL"]),
    known("PIL", &["Pillow"]),
    known("Quartz", &["pyobjc-framework-Quartz"]),
    known("RPi", &["RPi.GPIO"]),
    decoy("Xlib", &["python-xlib"]),
    known("_distutils_hack", &["setuptools"]),
    known("_pytest", &["pytest"]),
    known("_yaml", &["PyYAML"]),
    known("absl", &["absl-py"]),
    known("acoustid", &["pyacoustid"]),
    known("aifc", &["standard-aifc"]),
    decoy("airflow", &["apache-airflow"]),
    known("allauth", &["django-allauth"]),
    known("anymail", &["django-anymail"]),
    known("asynchat", &["standard-asynchat", "pyasynchat"]),
    known("asyncore", &["standard-asyncore", "pyasyncore"]),
    decoy("attr", &["attrs"]),
    known("audioop", &["audioop-lts"]),
    known("axes", &["django-axes"]),
    decoy("barcode", &["python-barcode"]),
    known("bluetooth", &["PyBluez"]),
    decoy("board", &["Adafruit-Blinka"]),
    known("bootstrap3", &["django-bootstrap3"]),
    decoy("bootstrap4", &["django-bootstrap4"]),
    decoy("box", &["python-box"]),
    decoy("bs4", &["beautifulsoup4"]),
    decoy("bson", &["pymongo"]),
    known("busio", &["Adafruit-Blinka"]),
    known("cairo", &["pycairo"]),
    decoy("camelot", &["camelot-py"]),
    decoy("can", &["python-can"]),
    known("cassandra", &["cassandra-driver"]),
    known("cgi", &["legacy-cgi", "standard-cgi"]),
    known("cgitb", &["legacy-cgi", "standard-cgitb"]),
    decoy("chunk", &["standard-chunk"]),
    known("ckeditor", &["django-ckeditor"]),
    known("community", &["python-louvain"]),
    known("compressor", &["django-compressor"]),
    known("consul", &["python-consul"]),
    known("corsheaders", &["django-cors-headers"]),
    known("crispy_forms", &["django-crispy-forms"]),
    decoy("crontab", &["python-crontab"]),
    known("crypt", &["crypt-r"]),
    decoy("cups", &["pycups"]),
    known(
        "cv2",
        &[
            "opencv-python",
            "opencv-python-headless",
            "opencv-contrib-python",
            "opencv-contrib-python-headless",
        ],
    ),
    known("dateutil", &["python-dateutil"]),
    known("dbus", &["dbus-python"]),
    known("debug_toolbar", &["django-debug-toolbar"]),
    decoy("decouple", &["python-decouple"]),
    known("dialog", &["pythondialog"]),
    known("digitalio", &["Adafruit-Blinka"]),
    decoy("discord", &["discord.py"]),
    known("distutils", &["setuptools"]),
    known("django_filters", &["django-filter"]),
    known("dns", &["dnspython"]),
    decoy("docx", &["python-docx"]),
    decoy("dotenv", &["python-dotenv"]),
    known("elftools", &["pyelftools"]),
    known("engineio", &["python-engineio"]),
    decoy("environ", &["django-environ"]),
    decoy("factory", &["factory-boy"]),
    decoy("faiss", &["faiss-cpu", "faiss-gpu"]),
    decoy("ffmpeg", &["ffmpeg-python"]),
    known("fitz", &["PyMuPDF"]),
    decoy("frontmatter", &["python-frontmatter"]),
    decoy("geohash", &["python-geohash"]),
    known("git", &["GitPython"]),
    decoy("github", &["PyGithub"]),
    known("github3", &["github3.py"]),
    decoy("gitlab", &["python-gitlab"]),
    decoy("gnupg", &["python-gnupg"]),
    known("google.cloud.pubsub_v1", &["google-cloud-pubsub"]),
    known("google.cloud.secretmanager", &["google-cloud-secret-manager"]),
    known("google.oauth2", &["google-auth"]),
    known("google.protobuf", &["protobuf"]),
    known("googleapiclient", &["google-api-python-client"]),
    decoy("graphql", &["graphql-core"]),
    known("gridfs", &["pymongo"]),
    decoy("grpc", &["grpcio"]),
    decoy("grpc_status", &["grpcio-status"]),
    decoy("grpc_tools", &["grpcio-tools"]),
    decoy("guardian", &["django-guardian"]),
    decoy("guppy", &["guppy3"]),
    decoy("haystack", &["django-haystack"]),
    decoy("health_check", &["django-health-check"]),
    known("hid", &["hidapi", "hid"]),
    known("igraph", &["igraph", "python-igraph"]),
    known("imagekit", &["django-imagekit"]),
    decoy("imblearn", &["imbalanced-learn"]),
    known("imghdr", &["standard-imghdr"]),
    known("imp", &["zombie-imp"]),
    decoy("import_export", &["django-import-export"]),
    decoy("jenkins", &["python-jenkins"]),
    decoy("jose", &["python-jose"]),
    decoy("jpype", &["JPype1"]),
    decoy("jsonrpc", &["json-rpc"]),
    decoy("jwt", &["PyJWT"]),
    decoy("kafka", &["kafka-python"]),
    decoy("kerberos", &["pykerberos"]),
    decoy("keystone", &["keystone-engine"]),
    known("keystoneclient", &["python-keystoneclient"]),
    decoy("ldap", &["python-ldap"]),
    known("libfuturize", &["future"]),
    known("magic", &["python-magic"]),
    known("mailcap", &["standard-mailcap"]),
    known("mailparser", &["mail-parser"]),
    known("markdown_it", &["markdown-it-py"]),
    decoy("memcache", &["python-memcached"]),
    known("model_utils", &["django-model-utils"]),
    known("modelcluster", &["django-modelcluster"]),
    known("mpl_toolkits", &["matplotlib"]),
    known("mptt", &["django-mptt"]),
    decoy("multipart", &["python-multipart"]),
    decoy("mysql.connector", &["mysql-connector-python"]),
    known("nacl", &["PyNaCl"]),
    known("nats", &["nats-py"]),
    decoy("neopixel", &["adafruit-circuitpython-neopixel"]),
    decoy("newspaper", &["newspaper3k"]),
    decoy("nntplib", &["standard-nntplib"]),
    known("nmap", &["python-nmap"]),
    known("novaclient", &["python-novaclient"]),
    decoy("oauth2_provider", &["django-oauth-toolkit"]),
    known("objc", &["pyobjc-core"]),
    decoy("onelogin", &["python3-saml"]),
    known("onnxruntime", &["onnxruntime", "onnxruntime-gpu"]),
    known("opensearchpy", &["opensearch-py"]),
    known("openstack", &["openstacksdk"]),
    decoy("osgeo", &["GDAL"]),
    decoy("paddle", &["paddlepaddle"]),
    decoy("pam", &["python-pam"]),
    known("past", &["future"]),
    decoy("pdfminer", &["pdfminer.six"]),
    known("phonenumber_field", &["django-phonenumber-field"]),
    decoy("pipeline", &["django-pipeline"]),
    known("pipes", &["standard-pipes"]),
    known("pkg_resources", &["setuptools"]),
    known("pl_bolts", &["lightning-bolts"]),
    decoy("playhouse", &["peewee"]),
    known("polymorphic", &["django-polymorphic"]),
    known("pptx", &["python-pptx"]),
    known("psycopg2", &["psycopg2-binary", "psycopg2"]),
    known("pushbullet", &["pushbullet.py"]),
    decoy("pwn", &["pwntools"]),
    decoy("pyVim", &["pyvmomi"]),
    decoy("pyflink", &["apache-flink"]),
    known("pygame", &["pygame", "pygame-ce"]),
    known("pylab", &["matplotlib"]),
    decoy("pyrebase", &["Pyrebase4"]),
    known("pythoncom", &["pywin32"]),
    known("pythonjsonlogger", &["python-json-logger"]),
    known("pywintypes", &["pywin32"]),
    known("pyximport", &["Cython"]),
    known("rapidjson", &["python-rapidjson"]),
    decoy("readability", &["readability-lxml"]),
    decoy("rediscluster", &["redis-py-cluster"]),
    known("rest_framework", &["djangorestframework"]),
    decoy("rest_framework_simplejwt", &["djangorestframework-simplejwt"]),
    decoy("reversion", &["django-reversion"]),
    decoy("rosetta", &["django-rosetta"]),
    known("saml2", &["pysaml2"]),
    decoy("sass", &["libsass"]),
    decoy("scss", &["pyScss"]),
    known("seleniumwire", &["selenium-wire"]),
    decoy("serial", &["pyserial"]),
    decoy("sha3", &["pysha3"]),
    known("shapefile", &["pyshp"]),
    known("silk", &["django-silk"]),
    known("simple_history", &["django-simple-history"]),
    known("skbio", &["scikit-bio"]),
    known("skfuzzy", &["scikit-fuzzy"]),
    decoy("skimage", &["scikit-image"]),
    decoy("sklearn", &["scikit-learn"]),
    known("skmultilearn", &["scikit-multilearn"]),
    known("skopt", &["scikit-optimize"]),
    known("sksurv", &["scikit-survival"]),
    decoy("slack", &["slackclient"]),
    decoy("slugify", &["python-slugify"]),
    known("smtpd", &["standard-smtpd"]),
    decoy("snappy", &["python-snappy"]),
    known("sndhdr", &["standard-sndhdr"]),
    known("snowflake.connector", &["snowflake-connector-python"]),
    known("social_core", &["social-auth-core"]),
    known("social_django", &["social-auth-app-django"]),
    decoy("socketio", &["python-socketio"]),
    decoy("socks", &["PySocks"]),
    known("sorl", &["sorl-thumbnail"]),
    known("speech_recognition", &["SpeechRecognition"]),
    known("stdnum", &["python-stdnum"]),
    known("storages", &["django-storages"]),
    decoy("strawberry", &["strawberry-graphql"]),
    known("suds", &["suds-community", "suds"]),
    known("sunau", &["standard-sunau"]),
    decoy("superset", &["apache-superset"]),
    known("swiftclient", &["python-swiftclient"]),
    decoy("systemd", &["systemd-python"]),
    decoy("tabula", &["tabula-py"]),
    known("taggit", &["django-taggit"]),
    known("talib", &["TA-Lib"]),
    decoy("telebot", &["pyTelegramBotAPI"]),
    decoy("telegram", &["python-telegram-bot"]),
    known("telnetlib", &["standard-telnetlib"]),
    known("tensorflow", &["tensorflow", "tensorflow-cpu"]),
    decoy("tlsh", &["python-tlsh"]),
    known("u2flib_server", &["python-u2flib-server"]),
    decoy("umap", &["umap-learn"]),
    known("usb", &["pyusb"]),
    known("uu", &["standard-uu"]),
    known("vlc", &["python-vlc"]),
    known("vtkmodules", &["vtk"]),
    decoy("waffle", &["django-waffle"]),
    decoy("weaviate", &["weaviate-client"]),
    decoy("websocket", &["websocket-client"]),
    decoy("whisper", &["openai-whisper"]),
    decoy("whois", &["python-whois"]),
    known("widget_tweaks", &["django-widget-tweaks"]),
    known("win32api", &["pywin32"]),
    known("win32clipboard", &["pywin32"]),
    known("win32com", &["pywin32"]),
    known("win32con", &["pywin32"]),
    known("win32event", &["pywin32"]),
    known("win32file", &["pywin32"]),
    decoy("win32gui", &["pywin32"]),
    known("win32pipe", &["pywin32"]),
    known("win32print", &["pywin32"]),
    known("win32process", &["pywin32"]),
    decoy("win32security", &["pywin32"]),
    known("win32service", &["pywin32"]),
    known("win32serviceutil", &["pywin32"]),
    known("wx", &["wxPython"]),
    decoy("xdist", &["pytest-xdist"]),
    known("xdrlib", &["standard-xdrlib"]),
    known("yaml", &["PyYAML"]),
    decoy("yara", &["yara-python"]),
    decoy("z3", &["z3-solver"]),
    decoy("zmq", &["pyzmq"]),
];

/// From documentation alone.
const UNVERIFIED: &[Known] = &[
    known("gi", &["PyGObject"]),
    known("libvirt", &["libvirt-python"]),
    known("llama_cpp", &["llama-cpp-python"]),
];

/// Modules of packages that Debian and its derivatives ship for their own Python: the module, the package.
const SYSTEM: &[(&str, &str)] = &[
    ("apt", "python3-apt"),
    ("apt_pkg", "python3-apt"),
    ("cairo", "python3-cairo"),
    ("cups", "python3-cups"),
    ("dbus", "python3-dbus"),
    ("gi", "python3-gi"),
    ("libvirt", "python3-libvirt"),
    ("rpm", "python3-rpm"),
    ("selinux", "python3-selinux"),
    ("systemd", "python3-systemd"),
    ("uno", "python3-uno"),
];

/// Namespaces that many distributions share: only a dotted name tells which one is meant.
const SHARED: &[&str] = &[
    "azure",
    "backports",
    "google",
    "jaraco",
    "mpl_toolkits",
    "mysql",
    "opentelemetry",
    "paste",
    "repoze",
    "ruamel",
    "snowflake",
    "sphinxcontrib",
    "zope",
];

/// The row for a module, dotted or not: that of its longest known part.
pub fn known_module(dotted: &str) -> Option<&'static Known> {
    let rows = || TABLE.iter().chain(UNVERIFIED);
    let mut part = dotted;
    loop {
        if let Some(row) = rows().find(|row| row.module == part) {
            return Some(row);
        }
        part = part.rsplit_once('.')?.0;
    }
}

/// The requirement that brings the module with that distribution. setuptools 82 has no `pkg_resources` any more, and 81
/// warns of it at every import (setuptools' NEWS.rst).
pub fn requirement_for<'a>(module: &str, distribution: &'a str) -> &'a str {
    let top = module.split('.').next().unwrap_or(module);
    if top == "pkg_resources" && distribution == "setuptools" { "setuptools<81" } else { distribution }
}

/// What to install for a module: by the tables, else the distribution that is called like it. None for a namespace that
/// many share.
pub fn distribution_for(dotted: &str) -> Option<String> {
    if let Some(row) = known_module(dotted) {
        return Some(row.distribution().to_owned());
    }
    let top = dotted.split('.').next().filter(|top| !top.is_empty())?;
    (!SHARED.contains(&top)).then(|| top.trim_matches('_').replace('_', "-"))
}

/// Modules that a distribution (normalised by PEP 503) provides under another name.
pub fn modules_of(normalized: &str) -> impl Iterator<Item = &'static str> {
    let rows = TABLE.iter().chain(UNVERIFIED);
    rows.filter(move |row| row.distributions.iter().any(|name| normalize_name(name) == normalized))
        .map(|row| row.module)
}

/// The package of Debian and its derivatives that has the module for their own Python.
pub fn system_package(module: &str) -> Option<&'static str> {
    SYSTEM.iter().find(|(name, _)| *name == module).map(|(_, package)| *package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_to_install() {
        for (module, distribution) in [
            ("cv2", "opencv-python"),
            ("yaml", "PyYAML"),
            ("PIL.Image", "Pillow"),
            ("google.protobuf.message", "protobuf"),
            ("flask_cors", "flask-cors"),
            ("requests", "requests"),
            ("pkg_resources", "setuptools"),
            ("gi", "PyGObject"),
        ] {
            assert_eq!(distribution_for(module).as_deref(), Some(distribution), "{module}");
        }
        assert_eq!(distribution_for("google.unheard"), None);
        assert_eq!(distribution_for(""), None);
        assert!(known_module("sklearn").is_some_and(|row| row.decoy));
        assert!(known_module("yaml").is_some_and(|row| !row.decoy));
        assert_eq!(requirement_for("pkg_resources.extern", "setuptools"), "setuptools<81");
        assert_eq!(requirement_for("setuptools", "setuptools"), "setuptools");
        assert_eq!(system_package("apt"), Some("python3-apt"));
        assert!(modules_of("opencv-python-headless").eq(["cv2"]));
    }

    #[test]
    fn no_module_is_listed_twice() {
        let mut names: Vec<&str> = TABLE.iter().chain(UNVERIFIED).map(|row| row.module).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(all >= 150, "{all}");
    }
}
