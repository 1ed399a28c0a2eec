"""Paths of files in a repository, as requests name them."""

from sagemaker_local.core.errors import ApiError

_LONGEST = 4096  # characters (User Guide, "Quotas": file paths)


def checked(given: str, *, root: bool = False) -> str:
    """Return a path from the top of the repository, which may be given with a slash in front; empty for the top itself.

    Raises:
        ApiError: PathRequiredException, or InvalidPathException: git would not take it.
    """
    path = given.removeprefix("/").removesuffix("/") if root else given.removeprefix("/")
    if not path:
        if root:
            return ""
        raise ApiError("PathRequiredException", "A path is missing.")
    parts = path.split("/")
    odd = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    if odd or "\0" in path or "\n" in path or len(path) > _LONGEST:
        raise ApiError("InvalidPathException", f"{given[:200]!r} is no path that a file can have.")
    return path


def above(path: str) -> list[str]:
    """Return the folders that a file is in."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
