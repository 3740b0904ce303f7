"""Known advisories against what requirements.lock pins. Fails on one; says in one line what could not be asked about."""

from __future__ import annotations

import json
import subprocess
import sys

SECONDS = 240


def main() -> int:
    command = ["pip-audit", "--disable-pip", "--require-hashes", "--requirement", "requirements.lock"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        last = done.stderr.strip().splitlines()[-1:] if isinstance(error, json.JSONDecodeError) else [str(error)]
        print(f"pip-audit: the advisory service cannot be reached, nothing was looked up: {''.join(last)[:200]}")
        return 0
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    bad = [(each["name"], each["version"], each["vulns"]) for each in packages if each.get("vulns")]
    for name, version, vulns in bad:
        for each in vulns:
            print(f"pip-audit: {name} {version}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none yet'}")
    if unknown:
        print(f"pip-audit: the advisory service does not answer for {len(unknown)} of {len(packages)} packages")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
