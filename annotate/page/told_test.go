package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/volume"
)

// english lists what the page shows, or says on a hover, that has an English word in it; not what is quoted, paths, and names of the project.
const english = `(() => {
	const words = /(?<!\p{L})(the|of|is|are|and|with|not|labels?|labelled|slices?|waiting|yet|from|when|been|taken|saved|models?|asked|added|empty|edited|accepted|annotator|logged|login|case)(?!\p{L})/iu;
	const own = '.language, .brand, .project, dialog, option';
	const texts = [];
	for (const e of document.querySelectorAll('body *')) {
		if (e.closest(own) || !e.checkVisibility()) continue;
		for (const name of ['title', 'aria-label']) if (e.hasAttribute(name)) texts.push(e.getAttribute(name));
		for (const n of e.childNodes) if (n.nodeType === 3) texts.push(n.data);
	}
	return texts.map((text) => text.replace(/„[^“]*“|«[^»]*»/g, '').replace(/\S*\/\S*/g, '').replace(/stochastic batches.*|entropy.*/i, '')).filter((text) => words.test(text));
})()`

// Warnings, reasons and the log are in the person's language on the program itself: what it warns of in the data, why a model is in use or not, why it does not
// suggest a stop, what has happened. Nothing English is left on dashboard, editor and reviews but what is quoted.
func TestServerTellsInTheLanguage(t *testing.T) {
	dir := t.TempDir()
	s := &service{t: t, data: filepath.Join(dir, "data"), project: filepath.Join(dir, "project")}
	s.build()
	if err := phantom.Write(t.Context(), s.data, 4, 7, nil); err != nil {
		t.Fatal(err)
	}
	images, err := filepath.Glob(filepath.Join(s.data, "imagesTr", "*.nii.gz"))
	if err != nil || len(images) != 4 {
		t.Fatalf("%v images, %v", images, err)
	}
	damaged, err := volume.Read(images[1])
	if err != nil {
		t.Fatal(err)
	}
	damaged.Data[7] = float32(math.NaN())
	other, err := volume.ReadMask(strings.Replace(images[2], "imagesTr", "labelsTr", 1))
	if err != nil {
		t.Fatal(err)
	}
	other.Size[2], other.Data = 3, other.Data[:3*other.Size[0]*other.Size[1]]
	if err := volume.WriteVolume(images[1], damaged); err != nil {
		t.Fatal(err)
	}
	if err := volume.WriteMask(strings.Replace(images[2], "imagesTr", "labelsTr", 1), other); err != nil {
		t.Fatal(err)
	}
	s.listen("serve", "--data", s.data, "--project", s.project, "--masks", "ignore", "--initial-size", "2", "--query-size", "2", "--preset", "demo", "--set", "steps=20")
	s.get("/me")
	post := func(method, path, kind string, body []byte) []byte {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/api/v1"+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", kind)
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text := new(bytes.Buffer)
		if _, err := text.ReadFrom(response.Body); err != nil || response.StatusCode >= 300 {
			t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
		}
		return text.Bytes()
	}
	last, learnt := "", 0 // labels that the model learns from: more would change what the dashboard says
	for deadline := time.Now().Add(2 * patience); s.models() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no model")
		}
		if learnt == 2 {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		var task struct {
			Item          string
			Height, Width int
			Purpose       string
		}
		if text := post("POST", "/next", "application/json", []byte(`{}`)); len(text) == 0 {
			time.Sleep(100 * time.Millisecond)
			continue
		} else if err := json.Unmarshal(text, &task); err != nil {
			t.Fatal(err)
		}
		mask := make([]byte, task.Height*task.Width)
		for i := range mask[:len(mask)/2] {
			mask[i] = 1
		}
		if task.Purpose == "training" {
			learnt++
		}
		last = "/items/" + url.PathEscape(task.Item)
		post("PUT", last+"/label?seconds=3&action=edited&base=0", "application/octet-stream", mask)
	}
	post("POST", "/items/phantom_000%2F000/skip", "application/json", []byte(`{"reason":"Not sure where the border is: apex","seconds":1}`))
	post("POST", last+"/review", "application/json", []byte(`{"status":"accepted","note":"","version":1}`))
	s.get("/export?format=csv&partial=true")
	p := startBrowser(t) // it ends before the server, which it would miss
	p.url = s.url
	p.login()
	for _, c := range []struct{ language, warning, mask, reason, model, event, detail, skip, why string }{
		{"de", ": 1 Voxel ist NaN oder unendlich und zählt als Hintergrund.", "Die Maske von Fall ", "Für ein Urteil braucht es 10 Validierungsschichten mit Vordergrund", "Im Einsatz: ", "Annotation gespeichert", "Fassung 1, gezeichnet", "Unklar, wo die Grenze ist: apex", "Modell"},
		{"fr", ": 1 voxel est NaN ou infini et compte comme fond.", "Le masque du cas ", "Il faut 10 coupes de validation avec premier plan", "Mis en service : ", "annotation enregistrée", "version 1, dessinée", "La limite n'est pas sûre: apex", "modèle"},
		{"es", ": 1 vóxel es NaN o infinito y cuenta como fondo.", "La máscara del caso ", "Hacen falta 10 cortes de validación con primer plano", "En uso: ", "anotación guardada", "versión 1, dibujada", "No está claro dónde está el borde: apex", "modelo"},
	} {
		eval[bool](p, fmt.Sprintf(`(() => { const s = document.querySelector('.bar .language'); s.value = %q; s.dispatchEvent(new Event('change', { bubbles: true })); return true })()`, c.language))
		p.click(`nav a[href="#/dashboard"]`)
		p.until("the log in "+c.language, fmt.Sprintf(`document.querySelector('.dashboard')?.innerText.includes(%q)`, c.event))
		eval[bool](p, `(document.querySelectorAll('details').forEach((d) => d.open = true), true)`)
		for what, want := range map[string]string{"warning": c.warning, "mask": c.mask, "reason": c.reason, "detail": c.detail, "reason of a skip": c.skip} {
			if !strings.Contains(eval[string](p, `document.querySelector('.dashboard').innerText`), want) {
				t.Errorf("%s: no %s %q:\n%s", c.language, what, want, eval[string](p, `document.querySelector('.dashboard').innerText`))
			}
		}
		if text := eval[string](p, `document.querySelector('.why-model span').innerText`); !strings.Contains(text, c.model) {
			t.Errorf("%s: why a model is in use: %q", c.language, text)
		}
		if wide := eval[[]string](p, `[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.scrollWidth + ' of ' + e.clientWidth + ' ' + e.innerText)`); len(wide) > 0 {
			t.Errorf("%s: tables are cut off at the right: %q", c.language, wide)
		}
		p.shoot("told-" + c.language)
		p.axe("dashboard, " + c.language)
		if left := eval[[]string](p, english); len(left) > 0 {
			t.Errorf("%s: English on the dashboard: %q", c.language, left)
		}
		p.click(`nav a[href="#/"]`)
		p.until("the editor", `!!document.querySelector('.screen:not([data-busy]) .corner')`)
		p.until("why there is no proposal, or only an outline", fmt.Sprintf(`document.querySelector('.stage')?.innerText.includes(%q)`, c.why))
		p.axe("editor, " + c.language)
		if left := eval[[]string](p, english); len(left) > 0 {
			t.Errorf("%s: English in the editor: %q", c.language, left)
		}
		p.click(`nav a[href="#/review"]`)
		p.until("the cases", `!!document.querySelector('.review .list a')`)
		p.click(".review .list a")
		p.until("its labels", `!!document.querySelector('.review .list button[data-item]')`)
		if left := eval[[]string](p, english); len(left) > 0 {
			t.Errorf("%s: English on the page for reviews: %q", c.language, left)
		}
	}
	if _, err := os.Stat(s.project); err != nil {
		t.Error(err)
	}
}
