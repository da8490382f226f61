"""Asks pip's own `pip check` about each directory of packages that is named, and what it would refuse to install
for this interpreter; prints both as JSON."""

import json
import sys

from pip._internal.metadata import get_environment
from pip._internal.operations import check
from pip._internal.utils.packaging import check_requires_python
from pip._vendor.packaging.utils import canonicalize_name

answers = []
for directory in sys.argv[1:]:
    check.get_default_environment = lambda: get_environment([directory])
    packages, problems = check.create_package_set_from_installed()
    missing, conflicting = check.check_package_set(packages)
    found = [[by, name, None, str(needed)] for by, needs in missing.items() for name, needed in needs]
    for by, needs in conflicting.items():
        found += [[by, name, str(version), str(needed)] for name, version, needed in needs]
    found = [[canonicalize_name(by), canonicalize_name(name), *rest] for by, name, *rest in found]
    excluding = [
        dist.canonical_name
        for dist in get_environment([directory]).iter_installed_distributions(local_only=False, skip=())
        if not check_requires_python(str(dist.requires_python), sys.version_info[:3])
    ]
    answers.append({"problems": problems, "found": found, "excluding": excluding})
json.dump(answers, sys.stdout)
