"""What is read from a Dockerfile; the table holds the shapes that Dockerfile.streamlit files have in the wild."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

import pytest

from lobster_tasks.dockerfile import (
    Copy,
    Dockerfile,
    HealthCheck,
    Heredoc,
    MakeDirectory,
    Port,
    Stage,
    UnexecutedInstruction,
    parse,
)
from lobster_tasks.errors import DockerfileError


def read(text: str, **build_args: str) -> Dockerfile:
    """Parse an indented text."""
    return parse(textwrap.dedent(text).strip("\n"), build_args, name="Dockerfile.streamlit")


def final(text: str, **build_args: str) -> Stage:
    """The last stage of an indented text."""
    return read(text, **build_args).final


def copies(stage: Stage) -> list[Copy]:
    """The stage's COPY and ADD lines."""
    return [step for step in stage.steps if isinstance(step, Copy)]


@dataclass(frozen=True)
class Shape:
    """One way to write such a file, and what must be understood of it."""

    text: str
    runs: tuple[str, ...]
    ports: tuple[int, ...] = (8501,)
    working_directory: str = "/app"
    user: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()


SHAPES = {
    "exec form over several lines": Shape(
        """
        FROM python:3.11-slim
        WORKDIR /app
        RUN apt-get update && apt-get install -y \\
            curl \\
            && rm -rf /var/lib/apt/lists/*
        COPY requirements.txt .
        RUN pip install -r requirements.txt
        COPY . .
        EXPOSE 8501
        HEALTHCHECK --interval=30s --timeout=10s \\
            CMD curl -f http://localhost:8501/_stcore/health || exit 1
        CMD ["streamlit", "run", "app.py", \\
             "--server.port=8501", \\
             "--server.address=0.0.0.0"]
        """,
        ("streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0"),
        sources=("requirements.txt", "."),
    ),
    "shell form with a variable": Shape(
        """
        FROM python:3.9
        WORKDIR /code
        ADD ./dashboard ./dashboard
        ADD ./dashboard/main.py ./main.py
        ENV DASHBOARD_PORT=5001
        EXPOSE ${DASHBOARD_PORT}
        # ENTRYPOINT ["streamlit", "run", "old.py"]
        CMD streamlit run main.py --server.port=${DASHBOARD_PORT} --server.address=0.0.0.0
        """,
        ("/bin/sh", "-c", "streamlit run main.py --server.port=${DASHBOARD_PORT} --server.address=0.0.0.0"),
        ports=(5001,),
        working_directory="/code",
        environment=(("DASHBOARD_PORT", "5001"),),
        sources=("./dashboard", "./dashboard/main.py"),
    ),
    "a shell in the exec form, the port from a platform": Shape(
        """
        FROM python:3.11-slim
        ENV PYTHONUNBUFFERED=1 \\
            PIP_NO_CACHE_DIR=1 \\
            PORT=10000
        WORKDIR /app
        EXPOSE 10000
        CMD ["sh", "-c", "streamlit run ui/app.py --server.port ${PORT:-10000}"]
        """,
        ("sh", "-c", "streamlit run ui/app.py --server.port ${PORT:-10000}"),
        ports=(10000,),
        environment=(("PORT", "10000"), ("PIP_NO_CACHE_DIR", "1")),
    ),
    "uv, a glob, a tool from another image, a user": Shape(
        """
        FROM python:3.12-slim AS base
        ENV PYTHONUNBUFFERED=1 \\
            UV_LINK_MODE=copy
        COPY --from=ghcr.io/example/uv:0.9 /uv /usr/local/bin/uv
        WORKDIR /app
        COPY pyproject.toml uv.lock* ./
        RUN --mount=type=cache,target=/root/.cache uv sync --frozen
        ENV PATH="/app/.venv/bin:${PATH}"
        COPY app/ ./app/
        USER streamlit
        EXPOSE 8501
        CMD ["streamlit", "run", "app/main.py", "--server.address", "0.0.0.0", "--server.port", "8501"]
        """,
        ("streamlit", "run", "app/main.py", "--server.address", "0.0.0.0", "--server.port", "8501"),
        user="streamlit",
        environment=(
            ("PATH", "/app/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("UV_LINK_MODE", "copy"),
        ),
        sources=("/uv", "pyproject.toml", "uv.lock*", "app/"),
    ),
    "two stages, the entry point emptied": Shape(
        """
        FROM ghcr.io/example/uv:python3.11 AS builder
        WORKDIR /build
        COPY . .
        RUN uv sync

        FROM python:3.11-slim
        COPY --from=builder /build /app
        ENTRYPOINT []
        CMD ["python", "-m", "streamlit", "run", "/app/main.py", "--server.port=8510"]
        """,
        ("python", "-m", "streamlit", "run", "/app/main.py", "--server.port=8510"),
        ports=(),
        working_directory="/",
        sources=("/build",),
    ),
    "an entry point with arguments from the command": Shape(
        """
        FROM python:3.12-slim
        WORKDIR /app
        EXPOSE 8501
        ENTRYPOINT ["streamlit", "run"]
        CMD ["app.py", "--server.port=8501"]
        """,
        ("streamlit", "run", "app.py", "--server.port=8501"),
    ),
    "a start script": Shape(
        """
        FROM python:3.12-slim
        WORKDIR /app
        COPY --chmod=755 --chown=1000:1000 start.sh /app/
        EXPOSE 8501/tcp
        ENTRYPOINT ["./start.sh"]
        """,
        ("./start.sh",),
        sources=("start.sh",),
    ),
    "no port said, words in the old form, comments in other scripts": Shape(
        """
        # 베이스 이미지
        FROM python:3.10-slim
        LABEL maintainer="Jo Doe <jo@app.example>" version=2
        ENV MODE production server
        WORKDIR /srv/
        WORKDIR app
          CMD ["streamlit", "run", "web/streamlit_app.py"]
        """,
        ("streamlit", "run", "web/streamlit_app.py"),
        ports=(),
        working_directory="/srv/app",
        environment=(("MODE", "production server"),),
    ),
    "arguments after two hyphens, and an argument for the port": Shape(
        """
        ARG PYTHON=3.11
        FROM python:${PYTHON}-slim
        ARG PORT=8501
        ENV PORT=${PORT} HOME=/tmp
        WORKDIR /work
        EXPOSE ${PORT}
        CMD ["streamlit", "run", "/app/board.py", "--server.port=8501", "--", "--root", "output"]
        """,
        ("streamlit", "run", "/app/board.py", "--server.port=8501", "--", "--root", "output"),
        working_directory="/work",
        environment=(("PORT", "8501"), ("HOME", "/tmp")),
    ),
    "single quotes, which make a shell command of it": Shape(
        """
        FROM python:3.11
        WORKDIR /app
        EXPOSE 8501
        CMD ['streamlit', 'run', 'app.py']
        """,
        ("/bin/sh", "-c", "['streamlit', 'run', 'app.py']"),
    ),
    "lower case, tabs, a comment and an empty line inside": Shape(
        """
        from python:3.11-slim
        workdir\t/app
        run pip install \\
            # the app's own needs
            streamlit \\

            pandas
        expose 8501
        cmd ["streamlit", "run", "app.py"]
        """,
        ("streamlit", "run", "app.py"),
    ),
    "marks of heredocs inside quotes and in the exec form, which are none": Shape(
        """
        FROM python:3.12-slim
        WORKDIR /app
        RUN python -c "print(1 <<20)"
        RUN sh -c 'cat <<EOF > /app/x; true'
        RUN ["sh", "-c", "cat <<EOF"]
        RUN echo $((1<<3)) <<< here
        ONBUILD RUN <<-"END" cat
        \tEXPOSE 1
        \tEND
        EXPOSE 8501
        CMD ["streamlit", "run", "app.py"]
        """,
        ("streamlit", "run", "app.py"),
    ),
    "another shell, a script written in place": Shape(
        """
        # syntax=docker/dockerfile:1
        FROM python:3.11-slim
        SHELL ["/bin/bash", "-o", "pipefail", "-c"]
        WORKDIR /app
        RUN <<EOF
        FROM nowhere
        EXPOSE 1
        EOF
        COPY <<-"END" /app/run.sh
        \texec streamlit run app.py --server.port=$PORT
        \tEND
        EXPOSE 8501
        CMD ./run.sh
        """,
        ("/bin/bash", "-o", "pipefail", "-c", "./run.sh"),
    ),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_understands(shape: Shape) -> None:
    stage = final(shape.text)
    assert stage.arguments_of_process == shape.runs
    assert tuple(port.number for port in stage.ports) == shape.ports
    assert (stage.working_directory, stage.user) == (shape.working_directory, shape.user)
    assert set(shape.environment) <= set(stage.environment.items())
    assert tuple(source for copy in copies(stage) for source in copy.sources) == shape.sources


class TestArguments:
    TEXT = """
        ARG BASE=python:3.11
        ARG RELEASE=dev
        FROM ${BASE}
        ARG RELEASE
        ARG PORT=${RELEASE}-port
        ENV RELEASE=${RELEASE:-none} PORT=$PORT
        """

    def test_defaults_reach_from_and_a_stage_that_declares_them(self) -> None:
        stage = final(self.TEXT)
        assert stage.base == "python:3.11"
        assert stage.environment["RELEASE"] == "dev"
        assert stage.environment["PORT"] == "dev-port"

    def test_build_arguments_win(self) -> None:
        stage = final(self.TEXT, BASE="scratch", RELEASE="4f2c1e9")
        assert (stage.base, stage.environment["RELEASE"]) == ("scratch", "4f2c1e9")

    def test_a_stage_sees_no_global_that_it_does_not_declare(self) -> None:
        assert final("ARG A=1\nFROM x\nENV B=[$A]").environment["B"] == "[]"

    def test_the_later_one_of_an_argument_and_a_variable_counts(self) -> None:
        """As BuildKit 0.8 and 0.13 build it; in the Dockerfile reference, and with podman, ENV counts always."""
        stage = final("FROM x\nENV A=env\nARG A=arg\nENV B=$A\nENV A=last C=$A\nENV D=$A", A="given")
        assert stage.environment == {"PATH": stage.environment["PATH"], "A": "last"} | {
            "B": "given",
            "C": "given",
            "D": "last",
        }

    @pytest.mark.parametrize(
        "base", ["BASE", "Python:3.12", "registry.example/Team/app", "python/App@sha256:0"]
    )
    def test_names_of_images_have_no_capitals(self, base: str) -> None:
        with pytest.raises(DockerfileError) as refused:
            read(f"FROM x AS base\nFROM {base}")
        assert f"line 2: FROM {base}" in refused.value.what

    @pytest.mark.parametrize(
        "base", ["python:3.12-Slim", "HOST:5000/app", "Registry.example/app:T@sha256:0A"]
    )
    def test_registries_and_tags_may_have_capitals(self, base: str) -> None:
        assert final(f"FROM {base}").base == base

    def test_an_argument_without_a_value_hides_none(self) -> None:
        stage = final("FROM x AS base\nENV A=env\nARG B=arg\nFROM base\nARG A B\nENV C=$A$B")
        assert stage.environment["C"] == "envarg"

    def test_names_what_nobody_takes(self) -> None:
        read_with = read("FROM x\nARG A", A="1", RELAESE="2", HTTP_PROXY="http://proxy.example")
        assert read_with.unused_arguments == ("RELAESE",)

    def test_the_platform_is_known(self) -> None:
        text = "FROM --platform=$BUILDPLATFORM x\nARG TARGETARCH\nENV A=$TARGETARCH"
        stage = parse(text, platform="linux/arm64").final
        assert (stage.platform, stage.environment["A"]) == ("linux/arm64", "arm64")

    def test_one_line_sees_the_values_from_before_it(self) -> None:
        stage = final("FROM x\nENV A=hello\nENV A=bye B=$A\nENV C=$A")
        assert (stage.environment["B"], stage.environment["C"]) == ("hello", "bye")


class TestStages:
    def test_a_stage_inherits_from_the_stage_it_is_built_on(self) -> None:
        parsed = read(
            """
            FROM python:3.11 AS Base
            ENV A=1
            ARG B=2
            WORKDIR /srv
            USER app
            EXPOSE 8501
            CMD ["streamlit", "run", "a.py"]
            COPY a.py .

            FROM base
            ENV C=$B
            """
        )
        stage = parsed.final
        assert (stage.parent, stage.working_directory, stage.user) == (0, "/srv", "app")
        assert (stage.environment["A"], stage.environment["C"]) == ("1", "2")
        assert stage.arguments_of_process == ("streamlit", "run", "a.py")
        assert stage.ports == (Port(8501),)
        assert stage.steps == ()
        assert [each.index for each in parsed.lineage(stage)] == [0, 1]
        assert "C" not in parsed.stages[0].environment

    def test_an_entry_point_resets_only_an_inherited_command(self) -> None:
        base = 'FROM x AS base\nCMD ["inherited"]\nFROM base\n'
        assert final(base + 'ENTRYPOINT ["run"]').arguments_of_process == ("run",)
        assert final('FROM x\nCMD ["own"]\nENTRYPOINT ["run"]').arguments_of_process == ("run", "own")

    def test_the_shell_form_of_an_entry_point_takes_no_command(self) -> None:
        stage = final('FROM x\nENTRYPOINT run $A\nCMD ["ignored"]')
        assert stage.arguments_of_process == ("/bin/sh", "-c", "run $A")

    def test_copies_come_from_stages_and_images(self) -> None:
        stage = final(
            "FROM a AS One\nFROM b\nFROM c\nCOPY --from=one /x /\nCOPY --from=1 /y /\nCOPY --from=img /z /"
        )
        assert [(copy.stage, copy.image) for copy in copies(stage)] == [(0, None), (1, None), (None, "img")]


class TestInstructions:
    def test_workdir_copy_and_run_stay_in_order(self) -> None:
        stage = final("FROM x\nWORKDIR /a\nCOPY s d\nRUN make it\nONBUILD COPY . .")
        assert [type(step) for step in stage.steps] == [
            MakeDirectory,
            Copy,
            UnexecutedInstruction,
            UnexecutedInstruction,
        ]
        assert stage.unexecuted == (
            UnexecutedInstruction(4, "RUN", "make it", "/a"),
            UnexecutedInstruction(5, "ONBUILD", "COPY . .", "/a"),
        )

    def test_a_script_in_a_run_belongs_to_it(self) -> None:
        stage = final("FROM x\nRUN <<EOF\nmake it\nEOF")
        assert stage.unexecuted[0].text == "<<EOF\nmake it\n"

    @pytest.mark.parametrize(
        ("line", "destination"),
        [
            ("COPY a .", "/app/"),
            ("COPY a ./", "/app/"),
            ("COPY a b", "/app/b"),
            ("COPY a b/", "/app/b/"),
            ("COPY a /", "/"),
            ("COPY a /abs", "/abs"),
            ("COPY a ..", "/"),
            ('COPY ["with space", "/to/"]', "/to/"),
            ("COPY a $TO/", "/there/"),
        ],
    )
    def test_destinations_are_absolute(self, line: str, destination: str) -> None:
        assert copies(final(f"FROM x\nENV TO=/there\nWORKDIR /app\n{line}"))[0].destination == destination

    def test_flags_of_a_copy(self) -> None:
        line = "COPY --chown=$U:app --chmod=0755 --parents --exclude=*.md --exclude=*.txt --link a b /x/"
        copy = copies(final(f"FROM x\nARG U=app\n{line}"))[0]
        assert (copy.owner, copy.mode, copy.parents, copy.exclude) == (
            "app:app",
            "0755",
            True,
            ("*.md", "*.txt"),
        )
        assert (copy.sources, copy.unpack) == (("a", "b"), False)
        assert copies(final("FROM x\nADD --keep-git-dir a b /x/"))[0].unpack

    def test_heredocs_become_files(self) -> None:
        stage = final('FROM x\nENV P=1\nCOPY <<A <<"B" /to/\np=$P "q"\nA\np=$P\nB\nUSER app')
        assert copies(stage)[0].files == (Heredoc("A", 'p=1 "q"\n', True), Heredoc("B", "p=$P\n", False))
        assert copies(stage)[0].sources == ()
        assert stage.user == "app"

    def test_ports(self) -> None:
        stage = final("FROM x\nEXPOSE 8501 8501/TCP 9000-9001/udp $NONE")
        assert stage.ports == (Port(8501), Port(9000, "udp"), Port(9001, "udp"))

    @pytest.mark.parametrize(
        ("spec", "ports"),
        [
            ("8501:8501", "8501/tcp"),
            ("80:8501/udp", "8501/udp"),
            ("127.0.0.1:80:8501", "8501/tcp"),
            ("127.0.0.1::8501", "8501/tcp"),
            ("[::1]:80:8501", "8501/tcp"),
            ("80-81:8501-8502", "8501/tcp 8502/tcp"),
            ("0.0.0.0:1234-1235:3333-3334/tcp", "3333/tcp 3334/tcp"),
            ("8000-9000:80", "80/tcp"),
            ("[2001:4860:0:2001::68]::333", "333/tcp"),
            ("2001:4860:0:2001::68::333", "333/tcp"),
            ("::1:80:80", "80/tcp"),
            ("::::80", "80/tcp"),
        ],
    )
    def test_a_port_of_the_host_is_ignored_with_a_warning(self, spec: str, ports: str) -> None:
        """Build checks, "ExposeInvalidFormat": "should not define an IP address or host-port mapping"."""
        stage = final(f"FROM x\nEXPOSE {spec}")
        assert " ".join(map(str, stage.ports)) == ports
        assert [(each.line, each.rule) for each in stage.warnings] == [(2, "ExposeInvalidFormat")]

    @pytest.mark.parametrize(
        ("spec", "port"),
        [
            ("80/", "80/tcp"),
            ("008501", "8501/tcp"),
            ("0", "0/tcp"),
            ("+80", "80/tcp"),
            ("80-+80", "80/tcp"),
            ("80-80/UDP", "80/udp"),
            (":80", "80/tcp"),
        ],
    )
    def test_a_port_is_what_go_takes_for_a_number(self, spec: str, port: str) -> None:
        """BuildKit, convert_expose.go: ``strings.Cut`` at the slash and the dash, ``strconv.ParseInt``."""
        stage = final(f"FROM x\nEXPOSE {spec}")
        assert " ".join(map(str, stage.ports)) == port
        assert stage.warnings == ()

    @pytest.mark.parametrize(
        ("spec", "says"),
        [
            ("80-82:8501-8502", "80-82 and 8501-8502 are not the same number of ports"),
            ("80:8501-8502", "80 and 8501-8502 are not the same number of ports"),
            ("localhost:80:80", "localhost is not an IP address"),
            ("999.0.0.1:80:80", "999.0.0.1 is not an IP address"),
            ("[::1]:80", "[: is not an IP address"),
            ("0.0.0.0:1234-1235:/tcp", "an empty text is not a port"),
            ("80-", "80- is not a port"),
            ("81-80", "81-80 is not a port"),
            ("-80", "-80 is not a port"),
            ("65536", "65536 is not a port"),
            ("80/icmp", "icmp is none of tcp, udp and sctp"),
            ("80/tcp:80/tcp", "80/tcp is not a port"),
            ("/tcp", "an empty text is not a port"),
        ],
    )
    def test_what_buildkit_refuses_to_expose(self, spec: str, says: str) -> None:
        """BuildKit, convert_expose.go and its test."""
        with pytest.raises(DockerfileError, match=re.escape(says)):
            final(f"FROM x\nEXPOSE {spec}")

    def test_a_flag_may_be_quoted(self) -> None:
        """BuildKit, ``extractBuilderFlags``."""
        assert copies(final('FROM x\nCOPY --chown="1000:1000" a /b'))[0].owner == "1000:1000"
        stage = final('FROM x\nRUN --mount=type=bind,source="a b",target=/c cat /c')
        assert stage.unexecuted[0].text == "cat /c"

    @pytest.mark.parametrize(
        ("flag", "seconds"), [("", 0), ("--start-period=1m30s ", 90), ("--start-period=5s ", 5)]
    )
    def test_the_start_period_of_a_health_check(self, flag: str, seconds: float) -> None:
        found = final(f"FROM x\nHEALTHCHECK {flag}CMD true").health_check
        assert found is not None
        assert found.start_period == seconds

    def test_health_checks(self) -> None:
        assert final('FROM x\nHEALTHCHECK CMD ["ask"]').health_check == HealthCheck(2, ("ask",))
        assert final("FROM x\nHEALTHCHECK --retries=2 CMD ask it").health_check == HealthCheck(
            2, ("/bin/sh", "-c", "ask it"), retries=2, script="ask it"
        )
        assert final("FROM x\nHEALTHCHECK none").health_check == HealthCheck(2, ())

    def test_the_rest(self) -> None:
        stage = final(
            'FROM x\nSTOPSIGNAL SIGINT\nVOLUME ["/data", "/more"]\nVOLUME /log\nMAINTAINER jo\nLABEL a=1 "b c"="d e"'
        )
        assert (stage.stop_signal, stage.volumes) == ("SIGINT", ("/data", "/more", "/log"))
        assert dict(stage.labels) == {"a": "1", "b c": "d e"}

    @pytest.mark.parametrize(
        ("flag", "seconds"),
        [("1.5s", 1.5), ("1ms", 0.001), ("0", 0), ("0s", 0), ("2000us", 0.002), ("+1h2m", 3720)],
    )
    def test_a_duration_is_one_of_go(self, flag: str, seconds: float) -> None:
        found = final(f"FROM x\nHEALTHCHECK --interval={flag} CMD true").health_check
        assert found is not None
        assert found.interval == pytest.approx(seconds)

    @pytest.mark.parametrize("signal", ["9", "SIGKILL", "sigint", "TERM", "SIGRTMIN+3", "RTMAX-14", "65"])
    def test_a_signal_is_a_number_or_one_of_linux(self, signal: str) -> None:
        assert final(f"FROM x\nSTOPSIGNAL {signal}").stop_signal == signal

    def test_a_list_that_is_too_deep_or_a_number_that_is_too_long_is_taken_as_a_builder_does(self) -> None:
        """BuildKit: ``json.Unmarshal`` refuses more than 10,000 levels, ``strconv.Atoi`` more than 64 bits."""
        deep, long = "[" * 100_000, "9" * 5000
        assert parse(f"FROM x\nCMD {deep}").final.command.is_shell_form  # type: ignore[union-attr]
        with pytest.raises(DockerfileError, match="is not a number from 0"):
            parse(f"FROM x\nHEALTHCHECK --retries={long} CMD true")
        (copy,) = copies(final(f"FROM x\nCOPY --from={long} a b"))
        assert copy.image == long

    def test_two_slashes_are_one(self) -> None:
        """BuildKit, ``system.NormalizeWorkdir``."""
        stage = final("FROM x\nWORKDIR //d//e/\nCOPY a //f/")
        assert (stage.working_directory, copies(stage)[0].destination) == ("/d/e", "/f/")

    def test_two_hyphens_end_the_flags(self) -> None:
        assert copies(final("FROM x\nCOPY --chmod=1 -- --odd /"))[0].sources == ("--odd",)

    def test_the_escape_directive(self) -> None:
        stage = final("# escape=`\nFROM x\nENV A=c:\\x `\n  B=1")
        assert (stage.environment["A"], stage.environment["B"]) == ("c:\\x", "1")

    def test_lines_that_end_as_on_windows(self) -> None:
        stage = parse('\ufeffFROM x\r\nENV A=1 \\\r\n  B=2\r\nCMD ["run"]\r\n').final
        assert (stage.environment["B"], stage.arguments_of_process) == ("2", ("run",))

    def test_a_heredoc_keeps_the_lines_that_end_as_on_windows(self) -> None:
        (copied,) = copies(final("FROM x\r\nCOPY <<EOF /a\r\none\r\ntwo\n\r\nEOF\r\nUSER 1\r\n"))
        assert [each.text for each in copied.files] == ["one\r\ntwo\n\r\n"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Dockerfile.streamlit has no FROM."),
        ("# only a comment", "Dockerfile.streamlit has no FROM."),
        ("RUN x", "Dockerfile.streamlit, line 1: RUN comes before the first FROM."),
        ("FROM x\n\nCOYP a b", "line 3: there is no instruction COYP; did you mean COPY?"),
        ("FROM x\nGIT clone", "line 2: there is no instruction GIT."),
        ("FROM x AS", "line 1: FROM takes an image"),
        ("ARG B\nFROM $B", "line 2: FROM $B expands to no image name"),
        ("FROM x\nEXPOSE http", "line 2: EXPOSE http: http is not a port."),
        ("FROM x\nEXPOSE 70000", "line 2: EXPOSE 70000"),
        ("FROM x\nCOPY a", "line 2: COPY takes a source and a destination."),
        ("FROM x\nCOPY --from=0 a b", "line 2: --from=0: there is no stage 0 before this line."),
        ("FROM x AS me\nCOPY --from=me a b", "line 2: --from=me is the stage that contains this line."),
        ("FROM x\nCOPY <<EOF /a\nhi", "line 2: the heredoc EOF is not closed"),
        ("FROM x\nENV A", "line 2: ENV A has no value."),
        ("FROM x\nENV A=1 B", "line 2: ENV: B is not of the form name=value."),
        ("FROM x\nENV A='1", "line 2: a quote (') is not closed"),
        ("FROM x\nUSER ${U:?say who}", "line 2: U: say who."),
        ("FROM x\nSHELL bash", "line 2: SHELL takes the exec form"),
        ("FROM x\nHEALTHCHECK curl x", "line 2: HEALTHCHECK takes CMD"),
        ("FROM x\nHEALTHCHECK --interval=5 CMD x", "line 2: HEALTHCHECK --interval=5 is not a duration"),
        ("FROM x\nHEALTHCHECK --timeout=1us CMD x", "line 2: HEALTHCHECK --timeout=1us is less than 1ms."),
        ("FROM x\nHEALTHCHECK --timeout=-5s CMD x", "line 2: HEALTHCHECK --timeout=-5s is not a duration"),
        ("FROM x\nHEALTHCHECK --retries=-1 CMD x", "line 2: HEALTHCHECK --retries=-1 is not a number from 0"),
        (
            "FROM x\nHEALTHCHECK --retry=1 CMD x",
            "line 2: HEALTHCHECK has no flag --retry; did you mean --retries?",
        ),
        ("FROM x\nHEALTHCHECK CMD []", "line 2: HEALTHCHECK CMD has no command."),
        ("FROM x\nCOPY --chwn=1 a b", "line 2: COPY has no flag --chwn; did you mean --chown?"),
        ("FROM x\nCMD --version", "line 2: CMD has no flag --version."),
        ("FROM x\nENV --a=1 b=2", "line 2: ENV has no flag --a."),
        ("FROM x\nCMD [1, 2]", "line 2: CMD: a list takes texts only"),
        ('FROM x\nRUN ["a", null]', "line 2: RUN: a list takes texts only"),
        ("FROM x\nHEALTHCHECK CMD [true]", "line 2: HEALTHCHECK: a list takes texts only"),
        ('FROM x\nCOPY [1, "/"]', "line 2: COPY: a list takes texts only"),
        ("FROM x\nCOPY []", "line 2: COPY takes a source and a destination."),
        ("FROM x\nVOLUME []", "line 2: VOLUME [] names no path."),
        ('FROM x\nVOLUME ["/a", " "]', 'line 2: VOLUME ["/a", " "] names no path.'),
        ("FROM x\nVOLUME $A", "line 2: VOLUME $A names no path."),
        ("FROM x\nSTOPSIGNAL bogus", "line 2: STOPSIGNAL bogus: bogus is not a Linux signal"),
        ("FROM x\nSTOPSIGNAL $S", "line 2: STOPSIGNAL $S: an empty text is not a Linux signal"),
        ("FROM x\nSTOPSIGNAL 0", "line 2: STOPSIGNAL 0: 0 is not a Linux signal"),
        ("FROM x\nONBUILD FROM y", "line 2: ONBUILD takes no FROM."),
        ("FROM x\nONBUILD maintainer y", "line 2: ONBUILD takes no MAINTAINER."),
        ("FROM x\nONBUILD ONBUILD RUN y", "line 2: ONBUILD takes no ONBUILD."),
        ("FROM x\nRUN a \\\n  b\nWORKDIR", "line 4: WORKDIR has no arguments."),
        ("# escape=x\nFROM x", "line 1: the escape character is \\ or `, not x."),
    ],
)
def test_refuses(text: str, says: str) -> None:
    with pytest.raises(DockerfileError) as refused:
        parse(text, name="Dockerfile.streamlit")
    assert says in refused.value.what
