// Whether a graphics card draws what WebGL is given.

/** Programs that imitate a graphics card: a large case keeps them busy for minutes. */
const imitations = /swiftshader|llvmpipe|softpipe|software|basic render|lavapipe/i;

let answer: boolean | null = null;

/** False without WebGL 2, and where it is imitated on the processor. */
export function drawsInHardware(): boolean {
  if (answer !== null) return answer;
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return (answer = false);
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return (answer = !imitations.test(name));
}
