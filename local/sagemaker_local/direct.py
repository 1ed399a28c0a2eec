"""This machine is reached directly, whatever proxy the environment names for everything else."""

from collections.abc import Mapping

HOSTS = ("127.0.0.1", "localhost")
# Programs read one of the two spellings, or both with the small one first.
_NAMES = ("no_proxy", "NO_PROXY")


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that except this machine's addresses from a proxy, with those that `environment` excepts."""
    excepted = [host.strip() for name in _NAMES for host in environment.get(name, "").split(",") if host.strip()]
    value = ",".join(dict.fromkeys([*excepted, *HOSTS]))
    return dict.fromkeys(_NAMES, value)
