"""A page that tells which release and which task answers, and counts within one browser session."""

from __future__ import annotations

import json
import logging
import os
import socket
import urllib.error
import urllib.request

import streamlit as st

logger = logging.getLogger("streamlit_app")


@st.cache_resource
def identity() -> tuple[str, str]:
    """The release and the instance; found out, and logged, once per process."""
    logging.basicConfig(format="%(name)s: %(message)s")
    logger.setLevel(logging.INFO)
    release, instance = os.environ.get("RELEASE", "dev"), task_id() or socket.gethostname()
    logger.info("release %s serves as instance %s", release, instance)
    return release, instance


def task_id() -> str | None:
    """The id of the ECS task, from the metadata endpoint that ECS gives each container, if there is one."""
    endpoint = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if not endpoint:
        return None
    try:
        with urllib.request.urlopen(f"{endpoint}/task", timeout=2) as answer:
            return str(json.load(answer)["TaskARN"]).rpartition("/")[2]
    except (urllib.error.URLError, TimeoutError, ValueError, KeyError):
        return None


def main() -> None:
    """The page."""
    release, instance = identity()
    st.set_page_config(page_title=f"Lobster {release}")
    st.title("Lobster")
    st.metric("Release", release)
    st.metric("Instance", instance)
    st.session_state.setdefault("count", 0)
    if st.button("Count"):
        st.session_state.count += 1
    # The count lives in one process: it survives only while the load balancer keeps this session on it.
    st.metric("Counted in this session", st.session_state.count)


main()
