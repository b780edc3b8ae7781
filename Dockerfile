# One image for CPUs and GPUs, with every provider and without a model.
#
#   docker build --tag open-speech .                                     # CPUs and NVIDIA GPUs
#   docker build --tag open-speech --build-arg VARIANT=cpu \
#     --build-arg TORCH_INDEX=ADDRESS .      # CPUs alone; ADDRESS: an index with torch's CPU builds
#
# CUDA comes with the wheels that need it, so the base is plain Debian for both.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS base
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates libstdc++6 python3 tini \
    && rm -rf /var/cache/apt/* /var/lib/apt/lists/* /var/log/*

FROM base AS builder
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_PROGRESS_BAR=off \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# What builds wheels stays here.
COPY deploy/constraints-build.txt ./
RUN python3 -m venv tools \
    && tools/bin/pip install --no-deps --requirement constraints-build.txt

# cuda, or cpu. For cpu, pip must be told where torch's CPU builds are, since the usual index has
# builds with CUDA: TORCH_INDEX is one more index, PIP_FIND_LINKS a folder or page with wheels.
ARG VARIANT=cuda
ARG TORCH_INDEX=
ARG PIP_FIND_LINKS=
COPY deploy/constraints*.txt ./
# Compiled now, and taken as up to date: nothing is written at run time.
ENV COMPILE="/opt/open-speech/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash"
RUN python3 -m venv --without-pip /opt/open-speech \
    && case "${VARIANT}" in \
        cuda) more="--requirement constraints-cuda.txt" ;; \
        cpu) more="" \
            && if [ -z "${TORCH_INDEX}${PIP_FIND_LINKS}" ]; then \
                echo "VARIANT=cpu needs TORCH_INDEX or PIP_FIND_LINKS: where torch's CPU builds are." >&2; \
                exit 1; \
            fi ;; \
        *) echo "VARIANT is cuda or cpu, not '${VARIANT}'." >&2; exit 1 ;; \
    esac \
    && install() { \
        tools/bin/pip --python /opt/open-speech/bin/python install --no-compile --no-deps \
            --no-build-isolation ${TORCH_INDEX:+--extra-index-url "${TORCH_INDEX}"} "$@"; \
    } \
    && install "$(grep '^setuptools==' constraints.txt)" \
    && install --requirement constraints.txt ${more} \
    && cd /opt/open-speech/lib/python3*/site-packages \
    && find . -type d \( -name tests -o -name test \) ! -path './torch/*' ! -path './transformers/*' \
        -prune -exec rm -r {} + \
    && rm -rf torch/include \
    && ${COMPILE} -x 'torch/testing/_internal' .

# The repository's own distributions, from wheels as they are published.
COPY . repository
RUN for folder in repository/packages/* repository/apps/*; do \
        tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels "${folder}" || exit 1; \
    done \
    && tools/bin/pip --python /opt/open-speech/bin/python install --no-compile --no-deps --no-index \
        wheels/*.whl \
    && tools/bin/pip --python /opt/open-speech/bin/python check \
    && cp -r repository/LICENSE wheels /opt/open-speech/ \
    && /opt/open-speech/bin/python repository/deploy/licenses.py --require > /opt/open-speech/LICENSES.md \
    && ${COMPILE} /opt/open-speech/lib/python3*/site-packages/open_speech*

FROM base
ARG VARIANT=cuda
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Open Speech" \
    org.opencontainers.image.description="Speech to text and text to speech with any engine, behind the OpenAI audio API (${VARIANT})" \
    org.opencontainers.image.authors="The Open Speech authors" \
    org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-or-later" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

# Any user of group 0 may write the volume, and so may read what is above it.
RUN useradd --uid 1000 --gid 0 --no-create-home --home-dir /root --shell /usr/sbin/nologin open-speech \
    && mkdir -p /root/.cache/open-speech \
    && chown 1000:0 /root/.cache/open-speech \
    && chmod 0770 /root/.cache/open-speech \
    && chmod 0750 /root /root/.cache
COPY --from=builder /opt/open-speech /opt/open-speech

# Neither the port nor anything else that has an older name is set here: it would win over STT_PORT
# and its like in compose files of earlier versions. The defaults are the ones that are wanted.
# A provider whose engine clashes is installed once more, from its wheel, into an environment of its
# own on the volume: `open-speech providers install NAME --isolated`.
# CTranslate2 finds the CUDA 12 libraries that it opens by name; without CUDA the folder is not there.
ENV HOME=/root \
    USER=open-speech \
    PATH=/opt/open-speech/bin:/usr/local/bin:/usr/bin:/bin \
    LD_LIBRARY_PATH=/opt/open-speech/lib/python3.11/site-packages/nvidia/cublas/lib \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    OS_MODEL_DIR=/root/.cache/open-speech \
    OS_DATA_DIR=/root/.cache/open-speech/data \
    OS_WYOMING_PORT=10400 \
    PIP_FIND_LINKS=/opt/open-speech/wheels \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 1000:0
WORKDIR /
VOLUME ["/root/.cache/open-speech"]
EXPOSE 8100 10400
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=15s --start-period=60s --retries=3 \
    CMD ["open-speech", "health"]
ENTRYPOINT ["tini", "--", "open-speech"]
CMD ["serve"]
