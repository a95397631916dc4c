"""Fetches one wheel of libclang, checks its hash and unpacks the library.

Arguments: version, the wheel's file name, its SHA-256, where to put the library.
pip fetches it if there is one; Debian's python3 has none, so that the package index is then asked
here, the one that pip's own environment variables and files name.
"""

import base64
import configparser
import hashlib
import html.parser
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile

MEMBER = "clang/native/libclang.so"
SECONDS = 60


def with_pip(version, folder):
    """True if pip put the wheel into the folder."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run(pip + ["--version"], capture_output=True).returncode != 0:
        return False
    download = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder]
    return subprocess.run(pip + download + ["libclang==" + version]).returncode == 0


def pip_setting(name):
    """What the environment, or else the last of pip's files that has it, says."""
    from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if from_environment:
        return from_environment
    home = pathlib.Path.home()
    config = pathlib.Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", home / ".pip/pip.conf", config / "pip/pip.conf"]
    files += [os.environ["PIP_CONFIG_FILE"]] if "PIP_CONFIG_FILE" in os.environ else []
    parser = configparser.RawConfigParser()
    parser.read(files)
    for section in ["download", "global"]:
        if parser.has_option(section, name):
            return parser.get(section, name)
    return None


def get(url, context):
    """The response, with the name and password that the address may carry."""
    parts = urllib.parse.urlsplit(url)
    name, at, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urllib.parse.urlunsplit(parts._replace(netloc=host)))
    if at:
        token = base64.b64encode(urllib.parse.unquote(name).encode()).decode()
        request.add_unredirected_header("Authorization", "Basic " + token)
    return urllib.request.urlopen(request, timeout=SECONDS, context=context)


class Links(html.parser.HTMLParser):
    """The addresses that a page links to."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.found += [value for key, value in attributes if key == "href" and value]


def from_index(wheel, folder):
    """Puts the wheel into the folder, asking the configured index for its address."""
    context = ssl.create_default_context(cafile=pip_setting("cert"))
    index = pip_setting("index-url") or "https://pypi.org/simple"
    page = index.rstrip("/") + "/libclang/"
    with get(page, context) as response:
        links = Links()
        links.feed(response.read().decode())
    for link in links.found:
        address = urllib.parse.urldefrag(urllib.parse.urljoin(page, link)).url
        if urllib.parse.unquote(address).endswith("/" + wheel):
            with get(address, context) as response:
                (folder / wheel).write_bytes(response.read())
            return
    sys.exit("the package index does not have " + wheel)


def main(version, wheel, sha256, library):
    library = pathlib.Path(library)
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        folder = pathlib.Path(folder)
        path = folder / wheel
        if not with_pip(version, str(folder)) or not path.exists():
            from_index(wheel, folder)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256:
            sys.exit("%s has the SHA-256 %s, not %s as it should" % (wheel, found, sha256))
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith(MEMBER))
            unpacked = archive.extract(member, folder)
        # In one step, so that a library that is there is whole.
        os.replace(unpacked, library)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit("cannot fetch libclang: %s" % error)
