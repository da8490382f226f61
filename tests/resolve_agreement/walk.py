# What this interpreter's finders answer for every module that a walk over its path comes by; no module of the
# path is executed. Runs on 3.6 and later, and PyPy.
import json
import os
import re
import sys
import types
import zipfile
from importlib.machinery import all_suffixes

SUFFIX = re.compile(r"\.(cpython-|pypy|cp3|abi3)?[^.]*\.?(so|pyd)$")


def find(name, path):
    for finder in list(sys.meta_path):
        try:
            spec = finder.find_spec(name, path)
        except AttributeError:
            continue
        if spec is not None:
            return spec
    return None


def names_below(place):
    names = set()
    if os.path.isfile(place):
        try:
            listed = {part.split("/")[0] for part in zipfile.ZipFile(place).namelist()}
        except zipfile.BadZipFile:
            return names
    else:
        try:
            listed = os.listdir(place or ".")
        except OSError:
            return names
    for name in listed:
        names.add(name)
        for suffix in all_suffixes():
            if name.endswith(suffix):
                names.add(name[: -len(suffix)])
        names.add(SUFFIX.sub("", name))
        names.add(name.split(".")[0])
    return {name for name in names if name.isidentifier() and name not in ("__pycache__", "__init__")}


def answer(name, spec):
    if spec is None:
        return [name, False, None, []]
    locations = spec.submodule_search_locations
    if type(spec.loader).__name__ == "DistutilsLoader":
        # not said by the spec, but by the package that it hands out
        locations = spec.loader.create_module(spec).__path__
    if locations is not None:
        locations = getattr(locations, "_path", locations)
    is_namespace = locations is not None and (spec.loader is None or spec.origin in (None, "namespace"))
    origin = None if is_namespace else spec.origin
    return [name, True, origin, list(locations or [])]


def walk(name, path, depth, out):
    spec = find(name, path)
    out.append(answer(name, spec))
    if depth > 12 or not out[-1][3]:
        return
    locations = out[-1][3]
    known = sys.modules.get(name)
    stub = types.ModuleType(name)
    stub.__path__ = locations
    sys.modules[name] = stub
    below = set()
    for location in locations:
        below |= names_below(location)
    for child in sorted(below | {"no_such_child"}):
        walk(name + "." + child, locations, depth + 1, out)
    if known is None:
        del sys.modules[name]
    else:
        sys.modules[name] = known


if sys.path and sys.path[0] == "":
    del sys.path[0]
tops = {"no_such_module", "__phello__", "distutils", "os", "zipimport"} | set(sys.builtin_module_names)
for entry in sys.path:
    tops |= names_below(entry)
out = []
path, finders = list(sys.path), list(sys.meta_path)
find("distutils", None)  # imports setuptools, which adds to both
sys.path[:] = path
sys.meta_path[:] = finders
for top in sorted(top for top in tops if "." not in top and top != "__main__"):
    walk(top, None, 0, out)
json.dump({"path": path, "modules": out}, sys.stdout)
