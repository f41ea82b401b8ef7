package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/page"
	"github.com/nextslice/nextslice/annotate/server"
	"github.com/nextslice/nextslice/dataset/phantom"
	"github.com/nextslice/nextslice/volume"
)

// serveReviews serves a project of synthetic cases without a model to a browser, where everybody may review.
func serveReviews(t *testing.T) (p *window, project *annotate.Project, data string) {
	p = startBrowser(t)
	dist, err := built()
	if err != nil {
		t.Fatal(err)
	}
	data = filepath.Join(t.TempDir(), "data")
	if err := phantom.Write(t.Context(), data, 3, 5, nil); err != nil {
		t.Fatal(err)
	}
	project, err = annotate.Open(t.Context(), annotate.Options{Data: data, Dir: filepath.Join(t.TempDir(), "project"), Axis: volume.AutoAxis,
		Change: func(c *annotate.Config) { c.Masks, c.InitialSize = annotate.MasksIgnore, 6 }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- project.Run(ctx) }()
	h := server.New(project, server.Options{Page: os.DirFS(dist), ContentSecurityPolicy: page.ContentSecurityPolicy})
	web := httptest.NewServer(h)
	t.Cleanup(func() {
		p.close()
		h.Close()
		web.Close()
		cancel()
		if err := errors.Join(<-ended, project.Close()); err != nil {
			t.Error(err)
		}
	})
	p.url, p.settings = web.URL, withViewer
	return p, project, data
}

// What is on the reviewer's screen stays while others save, with the note that is being typed; a verdict, of one label or of all, is of what was
// shown, and leaves earlier ones alone.
func TestReviewIsOfWhatIsShown(t *testing.T) {
	p, project, _ := serveReviews(t)
	name := project.Cases.Names()[0]
	image, err := project.Cases.Channel(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	height, width := project.Config.Preprocess.SliceSize(image.Grid)
	save := func(slice int, who string) {
		t.Helper()
		if _, err := project.Labels.Save(t.Context(), annotate.Person{Name: who}, annotate.Answer{Item: annotate.Item{Case: name, Slice: slice}, Mask: make([]byte, height*width), Action: annotate.Empty}); err != nil {
			t.Fatal(err)
		}
	}
	item := func(slice int) string { return fmt.Sprintf("%s/%03d", name, slice) }
	listed := func(slice int, what string) string {
		return fmt.Sprintf(`document.querySelector('.review button[data-item="%s"]')?.innerText.includes('%s')`, item(slice), what)
	}
	for _, slice := range []int{3, 4, 5, 6} {
		save(slice, "ben")
	}
	p.login()
	p.do(chromedp.Navigate(p.url + "/#/review/" + name))
	p.until("the first label", fmt.Sprintf(`document.querySelector('.picture')?.dataset.shown === '%s 1'`, item(3)))
	p.do(chromedp.SendKeys(chromedp.CSS(".judge input:not([type])"), "too thick"))
	save(2, "ben") // comes before it
	save(3, "ben")
	p.until("the list tells", listed(2, "to be reviewed"))
	p.until("the same label, and the note", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s 1' && document.querySelector('.judge input:not([type])').value === 'too thick'`, item(3)))
	p.allow("409")
	p.click(`.judge button[data-status=rejected]`)
	p.until("it has been saved again", `document.querySelector('.problem[role=alert]').innerText.includes('look at it')`)
	p.until("what it is now, and the note", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s 2' && document.querySelector('.judge input:not([type])').value === 'too thick'`, item(3)))
	p.click(`.judge button[data-status=rejected]`)
	p.until("it is rejected", listed(3, "rejected"))
	p.until("the next one", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s 1'`, item(2)))
	save(5, "cleo")
	p.until("the list tells", listed(5, "cleo"))
	p.click(`.judge input[type=checkbox]`)
	p.click(`.judge button[data-status=accepted]`)
	p.until("what was saved in between comes next", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s 2'`, item(5)))
	for slice, want := range map[int]string{2: "accepted", 3: "rejected", 4: "accepted", 5: "to be reviewed", 6: "accepted"} {
		p.until(fmt.Sprintf("slice %d, %s", slice, want), listed(slice, want))
	}
}

// No verdict is taken on a label whose picture has not come, or has only just: what was on the screen before is not taken for it.
func TestVerdictWaitsForThePicture(t *testing.T) {
	p, project, _ := serveReviews(t)
	p.settings = withoutViewer
	name := project.Cases.Names()[0]
	image, err := project.Cases.Channel(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	height, width := project.Config.Preprocess.SliceSize(image.Grid)
	for _, slice := range []int{3, 4, 5} {
		if _, err := project.Labels.Save(t.Context(), annotate.Person{Name: "ben"}, annotate.Answer{Item: annotate.Item{Case: name, Slice: slice}, Mask: make([]byte, height*width), Action: annotate.Empty}); err != nil {
			t.Fatal(err)
		}
	}
	// a hasty reviewer clicks all the time
	const accept = `document.querySelector('.judge button[data-status=accepted]')`
	p.login()
	p.do(chromedp.Navigate(p.url + "/#/review/" + name))
	p.until("the first label", fmt.Sprintf(`document.querySelector('.picture')?.dataset.shown === '%s/003 1'`, name))
	eval[bool](p, `(() => {
		const ask = window.fetch;
		window.answers = [];
		window.fetch = (path, init) => window.answers && /slices.4.image/.test(path) ? new Promise((done) => window.answers.push(() => done(ask(path, init)))) : ask(path, init);
		window.hasty = setInterval(() => `+accept+`.click(), 20);
		return true;
	})()`)
	p.until("the heading of the next one", `document.querySelector('.review .shown h2').innerText.toLowerCase().includes('slice 5') && window.answers.length === 1`)
	p.until("no picture, no verdict", `!document.querySelector('.picture').dataset.shown && `+accept+`.disabled && (() => {
		const c = document.querySelector('.picture');
		return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.every((v) => v === 0);
	})()`)
	eval[bool](p, `(() => {
		setTimeout(() => clearInterval(window.hasty), 300);
		window.answers.forEach((go) => go());
		window.answers = null;
		return true;
	})()`)
	p.until("its picture", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s/004 1' && !`+accept+`.disabled`, name))
	labels, err := project.Reviews.Items(t.Context(), annotate.Anybody("x"), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range labels {
		if want := map[string]string{name + "/003": annotate.ReviewAccepted}[l.Item]; l.Status != want {
			t.Errorf("%s is %q, want %q", l.Item, l.Status, want)
		}
	}
	p.click(`.judge button[data-status=accepted]`)
	p.until("the next", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s/005 1'`, name))

	// one whose picture cannot be loaded is not judged either
	p.allow("Failed to load")
	eval[bool](p, `(() => {
		const ask = window.fetch;
		window.fetch = (path, init) => /slices.4.image/.test(path) ? Promise.resolve(new Response('{"detail":"it is gone"}', { status: 410 })) : ask(path, init);
		return true;
	})()`)
	p.click(fmt.Sprintf(`.review button[data-item="%s/004"]`, name))
	p.until("why there is no picture", `document.querySelector('.shown .problem').innerText.includes('it is gone')`)
	p.until("no verdict", accept+`.disabled && !document.querySelector('.picture').dataset.shown`)
}

// What 3D Slicer has submitted is seen on the reviewer's page of a server without any model, sent back with a note, corrected in the editor,
// which shows the note, and accepted.
func TestReview(t *testing.T) {
	p, project, data := serveReviews(t)
	call := func(method, path, kind string, body io.Reader, into any) {
		t.Helper()
		r, err := http.NewRequest(method, p.url+"/monailabel"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		if text, err := io.ReadAll(a.Body); err != nil || a.StatusCode != 200 || json.Unmarshal(text, into) != nil {
			t.Fatalf("%s %s: %d %s, %v", method, path, a.StatusCode, text, err)
		}
	}
	var sample struct {
		ID     string
		Slices []int `json:"queued_slices"`
	}
	call("POST", "/activelearning/entropy_sb", "application/json", strings.NewReader(`{"client_id":"uma"}`), &sample)
	mask, err := volume.ReadMask(filepath.Join(data, "labelsTr", sample.ID+".nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	k, n := sample.Slices[len(sample.Slices)/2], mask.Size[0]*mask.Size[1]
	for i := range n { // a bar that is plainly seen
		if row := i / mask.Size[0]; row >= 10 && row < 20 {
			mask.Data[k*n+i] = 1
		}
	}
	path := filepath.Join(t.TempDir(), "label.nii.gz")
	if err := volume.WriteMask(path, mask); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("params", `{"client_id":"uma"}`)
	part, err := form.CreateFormFile("label", "label.nii.gz")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(file)
	form.Close()
	call("PUT", "/datastore/label?image="+sample.ID, form.FormDataContentType(), &body, &struct{}{})

	p.login()
	item := fmt.Sprintf("%s/%03d", sample.ID, k)
	p.click(`nav a[href="#/review"]`)
	p.until("the case waits", fmt.Sprintf(`document.querySelector('.review .list a').innerText.includes('%d to be reviewed')`, len(sample.Slices)))
	p.click(`.review .list a`)
	p.until("its labels", fmt.Sprintf(`document.querySelectorAll('.review .list button[data-item]').length === %d && document.querySelector('.review .list button').innerText.includes('uma')`, len(sample.Slices)))
	p.click(fmt.Sprintf(`.review button[data-item="%s"]`, item))
	p.until("its picture", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s 1'`, item))
	// The bar has the colour of its class, which is orange; nothing beside it has.
	orange := eval[int](p, `(() => {
		const c = document.querySelector('.picture'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		let count = 0;
		for (let i = 0; i < d.length; i += 4) if (d[i] - d[i + 2] > 60) count++;
		return Math.round(1000 * count / (c.width * c.height));
	})()`)
	if orange < 20 || orange > 400 {
		t.Errorf("%d of a thousand pixels have the colour of the label", orange)
	}
	p.shoot("review")
	p.axe("review, a label")
	p.axe("review")
	p.until("sending back needs a note", `document.querySelector('.judge button[data-status=returned]').disabled`)
	p.do(chromedp.SendKeys(chromedp.CSS(".judge input:not([type])"), "the bar is too thick"))
	p.click(`.judge button[data-status=returned]`)
	p.until("it is sent back", fmt.Sprintf(`document.querySelector('.review button[data-item="%s"]').innerText.includes('sent back')`, item))
	p.until("the next one is shown", fmt.Sprintf(`document.querySelector('.review button[aria-pressed="true"]').dataset.item !== '%s'`, item))

	// The editor offers it before what is new, with the note, and the label as it is.
	p.click(`nav a[href="#/"]`)
	p.until("a slice of before", `document.querySelector(".screen") && !document.querySelector(".screen").dataset.busy`)
	p.click(`.actions .group button:nth-child(3)`) // Next
	p.untilItem(item)
	p.note("ada sent this slice back: the bar is too thick")
	p.until("what it is for", `document.querySelector('.side .facts').innerText.includes('a correction')`)
	p.shoot("review-editor")
	p.key("k")
	p.until("saved", fmt.Sprintf(`decodeURIComponent(location.hash) !== '#/item/%s'`, item))

	p.do(chromedp.Navigate(p.url + "/#/review/" + sample.ID))
	p.until("it waits again", fmt.Sprintf(`document.querySelector('.review button[data-item="%s"]').innerText.includes('to be reviewed')`, item))
	p.click(fmt.Sprintf(`.review button[data-item="%s"]`, item))
	p.until("with what was said of the version before", `document.querySelector('.review .last').innerText.includes('(version 1): the bar is too thick')`)
	p.until("its picture", fmt.Sprintf(`document.querySelector('.picture').dataset.shown === '%s 2'`, item))
	p.click(`.judge input[type=checkbox]`)
	p.click(`.judge button[data-status=accepted]`)
	p.until("all are accepted", fmt.Sprintf(`document.querySelector('.review .list a').innerText.includes('%d accepted') && document.querySelectorAll('.review .status.accepted').length === %d`, len(sample.Slices), len(sample.Slices)))
	p.key(kb.Escape)
	labels, err := project.Reviews.Items(t.Context(), annotate.Anybody("x"), sample.ID)
	if err != nil || len(labels) != len(sample.Slices) {
		t.Fatalf("%+v, %v", labels, err)
	}
	for _, l := range labels {
		if l.Status != annotate.ReviewAccepted || l.Last.Who != "ada" {
			t.Errorf("%+v", l)
		}
	}
}
