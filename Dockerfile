# The image holds one static binary and the certificates of the open net: no
# shell, no package manager. cmd/diemtin/deploy_test.go runs the build line.
#
#   docker build --build-arg VERSION=0.1.0 -t diemtin .
#   docker run --read-only -v diemtin:/data -p 8080:8080 diemtin
#
# For other processors too; the compiler runs on this one's:
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/diemtin --push .

FROM --platform=$BUILDPLATFORM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=0.1.0
ARG TARGETOS TARGETARCH
# timetzdata: the zones that feeds.yaml may name are in the binary.
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /out/diemtin ./cmd/diemtin
RUN mkdir -p /out/data

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="diemtin" org.opencontainers.image.version="${VERSION}" org.opencontainers.image.licenses="MIT"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /out/diemtin /diemtin
COPY --from=build --chown=65532:65532 /out/data /data
# Beside feeds.yaml, if there is one, and diemtin.db; there is no other folder
# that can be written, so the demo's temporary files are there too.
WORKDIR /data
VOLUME /data
ENV TMPDIR=/data
USER 65532:65532
# 8080 is for readers. 8081 has metrics and profiles: not for the open net.
EXPOSE 8080 8081
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s CMD ["/diemtin", "health", "--admin", "127.0.0.1:8081"]
ENTRYPOINT ["/diemtin"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--admin", "0.0.0.0:8081"]
