package monailabel_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/volume"
)

// Every endpoint in the order in which the extension asks for it, each answer byte by byte: log in, sample, label, segment, submit, train.
func TestFlow(t *testing.T) {
	wait := make(chan struct{}, 1)
	s := start(t, options{people: []annotate.Account{{Name: "eva", Role: annotate.Adjudicator, Token: "the secret of eva"}}, wait: wait})
	project := s.project.Name

	// 1. The address of the server.
	s.same("auth", s.want(200, s.do("GET", "/auth/", "")), `{"enabled":true,"client_id":"nextslice","realm":"`+project+`"}`)
	s.want(401, s.do("GET", "/info/", ""))
	s.want(401, s.do("POST", "/auth/token", "username=eva&password=wrong&grant_type=password", "content-type", "application/x-www-form-urlencoded"))
	eva := s.logIn("eva", "the secret of eva")
	s.same("valid", s.want(200, s.do("GET", "/auth/token/valid", "", eva...)), `{"username":"eva","roles":["adjudicator"]}`)
	s.same("info", s.want(200, s.do("GET", "/info/", "", eva...)), `{"name":"`+project+`","description":"The case with the most slices that entropy+sb asks for.","version":"1",`+
		`"labels":["structure"],"models":{},"trainers":{"unet":{"description":"Trains on all labels so far; it also begins by itself when enough are new.","config":{}}},`+
		`"strategies":{"entropy_sb":{"description":"The case with the most slices that entropy+sb asks for.","config":{"slices":["those asked for","all"]}}},`+
		`"scoring":{},"train_stats":{"unet":{"epoch":0,"total_epochs":1,"total_time":"0s","best_metric":0}},"datastore":{"total":30,"completed":0,"label_tags":{"final":0,"original":5}}}`)
	s.same("nothing runs", s.want(404, s.do("GET", "/train/?check_if_running=true", "", eva...)), `{"detail":"nothing has been trained since the server was started"}`)
	s.want(404, s.do("GET", "/train/", "", eva...))

	// 2. Next Sample, its image, and the label that it begins with.
	a := s.want(200, s.do("POST", strategy, `{"slices":"those asked for","client_id":"user-xyz"}`, append(eva, "content-type", "application/json")...))
	shape := regexp.MustCompile(`^\{"id":"(c\d)","name":"c\d\.nii\.gz","checksum":"SHA256:[0-9a-f]{64}","ts":\d{10},"description":"Label of c\d: slices? [^"]+ mm\)\.","queued_slices":\[[\d,]+\],` +
		`"strategy":\{"entropy_sb":\{"ts":\d{10},"client_id":"eva"\}\}\}\n$`)
	if !shape.Match(a.body) {
		t.Errorf("sample: %s", a.body)
	}
	got := read[given](t, a)
	s.want(200, s.do("GET", "/datastore/image?image="+got.ID, ""))
	all := s.want(200, s.do("GET", "/datastore/?output=all", "", eva...))
	object := func(id string) string {
		return `"` + id + `":{"image":{"ext":".nii.gz","info":{"name":"` + id + `.nii.gz"}},"labels":{"original":{"ext":".nii.gz","info":{"name":"` + id +
			`.nii.gz","params":{"label_names":{"structure":1,"asked_slices":2}}}}}}`
	}
	s.same("datastore", all, `{"name":"`+project+`","description":"cases of nextslice","images_dir":".","labels_dir":"labels","objects":{`+
		strings.Join([]string{object("c0"), object("c1"), object("c2"), object("c3"), object("c4")}, ",")+`}}`)
	a = s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=original", "", eva...))
	begin := maskOf(t, a.body, ".nii.gz")
	for k := range 6 {
		framed := begin.Slice(2, k)[0] == 2
		if framed != slices.Contains(got.Slices, k) {
			t.Errorf("slice %d: framed %v, asked for %v", k, framed, got.Slices)
		}
	}
	if info := string(s.want(200, s.do("GET", "/info/", "", eva...)).body); strings.Count(info, got.Description) != 2 {
		t.Errorf("info does not say which slices are asked for: %s", info)
	}

	// 3. Submit Label, with the frame as a segment of its own.
	file := s.mask(got.ID, ".nii.gz", func(k, i int) uint8 {
		if begin.Data[k*120+i] == 2 {
			return 2
		}
		return ball(k, i)
	})
	params := `{"label_info":[{"name":"structure","idx":1},{"name":"asked_slices","idx":2}],"model":"","client_id":"user-xyz"}`
	a = s.want(200, s.put("/datastore/label?image="+got.ID, params, "/tmp/tmp1.nii.gz", file, eva...))
	s.same("submitted", a, fmt.Sprintf(`{"image":"%s","label":"%s","slices":[%s],"description":"%d slices of %s are labelled"}`,
		got.ID, got.ID, strings.Trim(strings.ReplaceAll(fmt.Sprint(got.Slices), " ", ","), "[]"), len(got.Slices), got.ID)) // more than one
	info := read[struct {
		Datastore struct{ Completed, Total int }
	}](t, s.want(200, s.do("GET", "/info/", "", eva...)))
	if info.Datastore.Completed != len(got.Slices) || info.Datastore.Total != 30 {
		t.Errorf("datastore: %+v", info)
	}
	mask, err := s.project.Labels.Mask(t.Context(), annotate.Anybody("x"), got.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range mask.Data {
		want := ball(i/120, i%120)
		if begin.Data[i] == 2 || !slices.Contains(got.Slices, i/120) {
			want = 0
		}
		if v != want {
			t.Fatalf("voxel %d is %d, want %d", i, v, want)
		}
	}
	a = s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=final", "", eva...))
	if !bytes.Equal(maskOf(t, a.body, ".nii.gz").Data, mask.Data) || filenameOf(a.header.Get("Content-Disposition")) != got.ID+".nii.gz" {
		t.Errorf("the final label is another one: %v", a.header)
	}

	// 4. Train, with a look every few seconds; stop; auto-train stops a running one first.
	shapeOf := func(status, end, details string) *regexp.Regexp {
		return regexp.MustCompile(`^\{"id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","status":"` + status + `","request":\{"model":"unet"\},"start_ts":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","end_ts":` + end +
			`,"details":\[` + details + `\]\}\n$`)
	}
	check := func(what string, a answer, shape *regexp.Regexp) {
		t.Helper()
		if !shape.Match(s.want(200, a).body) {
			t.Errorf("%s: %s\nwant %s", what, a.body, shape)
		}
	}
	const at = `"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"`
	check("train", s.do("POST", "/train/unet", `{"client_id":"user-xyz"}`, append(eva, "content-type", "application/json")...), shapeOf("RUNNING", "null", `"asked for by eva"`))
	a = s.want(429, s.do("POST", "/train/unet", `{}`, append(eva, "content-type", "application/json")...))
	s.same("twice", a, `{"detail":"a training is running"}`)
	check("while it runs", s.do("GET", "/train/", "", eva...), shapeOf("RUNNING", "null", `"asked for by eva".*`))
	s.want(200, s.do("GET", "/train/?check_if_running=true", "", eva...))
	running := s.want(200, s.do("GET", "/info/", "", eva...))
	if stats := regexp.MustCompile(`"train_stats":\{"unet":\{"epoch":\d+,"total_epochs":[1-9]\d*,"best_metric":0\}\}`); !stats.Match(running.body) {
		t.Errorf("while it runs, info has: %s", running.body)
	}
	check("stop", s.do("DELETE", "/train/", "", eva...), shapeOf("STOPPED", at, `"asked for by eva".*"stopped by eva"`))
	s.want(404, s.do("GET", "/train/?check_if_running=true", "", eva...))
	check("stop again", s.do("DELETE", "/train/", "", eva...), shapeOf("STOPPED", at, `"asked for by eva".*"stopped by eva"`))
	check("train again", s.do("POST", "/train/unet", `{}`, append(eva, "content-type", "application/json")...), shapeOf("RUNNING", "null", `"asked for by eva"`))
	wait <- struct{}{}
	until(t, "the end", func() bool { return s.do("GET", "/train/?check_if_running=true", "", eva...).status == 404 })
	check("the end", s.do("GET", "/train/", "", eva...), shapeOf("DONE", at, `"asked for by eva","cycle 0 begins","model 1 on \d labels: put into use; it is the first"|"asked for by eva","cycle 0 begins","model 1 on \d labels: [^"]*"`))
	s.same("nothing new", s.want(409, s.do("POST", "/train/unet", `{}`, append(eva, "content-type", "application/json")...)), `{"detail":"conflict: no label is new since the last training"}`)

	// 5. Run: the mask of the new model.
	until(t, "the model", func() bool { return s.project.Predictor.InUse() == 1 })
	kind, body := upload(`{"result_extension":".nrrd","result_dtype":"uint8","client_id":"user-xyz"}`, "", "")
	a = s.want(200, s.do("POST", "/infer/unet?image="+got.ID, body, append(eva, "content-type", kind)...))
	head := regexp.MustCompile(`^--[0-9a-f]+\r\nContent-Disposition: form-data; name="params"\r\nContent-Type: application/json\r\n\r\n\{"label_names":\{"structure":1\},"model":1\}\r\n` +
		`--[0-9a-f]+\r\nContent-Disposition: form-data; name="image"; filename="mask\.nrrd"\r\nContent-Type: application/octet-stream\r\n\r\nNRRD`)
	if !head.Match(a.body) || !regexp.MustCompile(`\r\n--[0-9a-f]+--\r\n$`).Match(a.body) {
		t.Errorf("segmented: %.400q", a.body)
	}
	models := regexp.MustCompile(`"models":\{"unet":\{"type":"segmentation","labels":\{"structure":1\},"dimension":3,"description":"U-Net, model 1 of \d labels[^"]*","config":\{\}\}\}`)
	if info := s.want(200, s.do("GET", "/info/", "", eva...)); !models.Match(info.body) {
		t.Errorf("info: %s", info.body)
	}

	// 6. The Reviewer extension.
	s.same("root", s.want(200, s.do("GET", "/", "")), `{"name":"nextslice","description":"an annotation project by the MONAI Label protocol"}`)
	form := `params=%7B%22segmentationMeta%22%3A%7B%22status%22%3A%22approved%22%2C%22comment%22%3A%22good%22%7D%7D`
	s.want(200, s.do("PUT", "/datastore/updatelabelinfo?label="+got.ID+"&tag=final", form, append(eva, "content-type", "application/x-www-form-urlencoded")...))
	if all := s.want(200, s.do("GET", "/datastore/?output=all", "", eva...)); !regexp.MustCompile(`"segmentationMeta":\{"status":"approved","approvedBy":"eva","level":"","comment":"good","editTime":"[^"]+"\}`).Match(all.body) {
		t.Errorf("reviewed: %s", all.body)
	}
	items, err := s.project.Reviews.Items(t.Context(), annotate.Anybody("x"), got.ID)
	if err != nil || items[0].Status != annotate.ReviewAccepted || items[0].Who != "eva" || items[0].Last.Note != "good" {
		t.Errorf("reviews: %+v, %v", items, err)
	}
}

// The classes keep their order, which is not that of the alphabet, and voxels are 1, 2 … by it: clients take the k-th name for value k.
func TestOrderOfClasses(t *testing.T) {
	s := start(t, options{data: large(t, "a", "b"), classes: []string{"zone", "apex", "base"}, change: func(c *annotate.Config) {
		c.Unsure, c.ValidationCases, c.ValidationShare, c.InitialSize = true, nil, 0, 100 // the fake model knows two classes
	}})
	all := string(s.want(200, s.do("GET", "/datastore/?output=all", "")).body)
	if !strings.Contains(all, `"label_names":{"zone":1,"apex":2,"base":3,"unsure":4,"asked_slices":5}`) {
		t.Errorf("%s", all)
	}
	if info := string(s.want(200, s.do("GET", "/info/", "")).body); !strings.Contains(info, `"labels":["zone","apex","base","unsure"]`) {
		t.Errorf("%s", info)
	}
	got := s.next(`{"client_id":"uma"}`)
	// The client counts segments that it leaves out in idx; the mask holds 1 to 5 in the order of the others.
	params := `{"client_id":"uma","label_info":[{"name":"background","idx":1},{"name":"base","idx":2},{"name":"background_scribbles","idx":3},{"name":"unsure","idx":4},{"name":"asked_slices","idx":5},{"name":"zone","idx":6},{"name":"apex","idx":7}]}`
	values := func(_, i int) uint8 { return uint8(i % 6) }
	s.want(200, s.put("/datastore/label?image="+got.ID, params, "m.nrrd", s.mask(got.ID, ".nrrd", values)))
	mask, err := s.project.Labels.Mask(t.Context(), annotate.Anybody("x"), got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v := mask.Slice(2, got.Slices[0])[:6]; fmt.Sprint(v) != fmt.Sprint([]uint8{0, 3, 255, 0, 1, 2}) {
		t.Errorf("stored as %v", v)
	}
	a := s.want(200, s.do("GET", "/datastore/label?label="+got.ID+"&tag=final", ""))
	if v := maskOf(t, a.body, ".nii.gz").Slice(2, got.Slices[0])[:6]; fmt.Sprint(v) != fmt.Sprint([]uint8{0, 3, 4, 0, 1, 2}) {
		t.Errorf("sent as %v", v)
	}
	// Files of named segments tell the names themselves.
	got = s.next(`{"client_id":"uma"}`)
	grid, err := s.project.Cases.Grid(got.ID)
	if err != nil {
		t.Fatal(err)
	}
	m := &volume.Mask{Grid: grid, Data: make([]uint8, grid.Len())}
	for i := range m.Data {
		m.Data[i] = uint8(i % 3)
	}
	path := filepath.Join(t.TempDir(), "x.seg.nrrd")
	if err := volume.WriteSegmentation(path, volume.NewSegmentation(m, []string{"background", "apex", "zone"})); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"uma"}`, "x.seg.nrrd", string(file)))
	if mask, err = s.project.Labels.Mask(t.Context(), annotate.Anybody("x"), got.ID); err != nil || fmt.Sprint(mask.Slice(2, got.Slices[0])[:3]) != "[0 2 1]" {
		t.Errorf("segments: %v, %v", mask.Slice(2, got.Slices[0])[:3], err)
	}
}

// Masks that are not of the image, or hold what is no class, are refused with a sentence, and nothing of them is stored.
func TestBadMasks(t *testing.T) {
	s := start(t, options{})
	got := s.next(`{"client_id":"uma"}`)
	good := s.mask(got.ID, ".nii.gz", ball)
	grid, err := s.project.Cases.Grid(got.ID)
	if err != nil {
		t.Fatal(err)
	}
	moved, smaller := grid, grid
	moved.Affine[0][3] += 1
	smaller.Size[0]--
	larger := grid
	larger.Size[2] *= 4
	of := func(g volume.Grid) string {
		return s.file(&volume.Mask{Grid: g, Data: bytes.Repeat([]byte{1}, g.Len())}, ".nii.gz")
	}
	put := "/datastore/label?image=" + got.ID
	for what, c := range map[string]struct {
		status             int
		path, params, file string
		says               string
	}{
		"moved":           {422, put, `{"client_id":"uma"}`, of(moved), "the mask is not that of " + got.ID},
		"larger":          {422, put, `{"client_id":"uma"}`, of(larger), "voxels"},
		"a value too far": {422, put, `{"client_id":"uma","label_info":[{"name":"structure","idx":1}]}`, s.mask(got.ID, ".nii.gz", func(int, int) uint8 { return 2 }), "the value 2"},
		"no class":        {422, put, `{"client_id":"uma","label_info":[{"name":"liver","idx":1}]}`, good, `"liver" is no class`},
		"garbage":         {422, put, `{"client_id":"uma"}`, "garbage", "cannot be read"},
		"no params":       {400, put, `[`, good, "params"},
		"no file":         {400, put, `{"client_id":"uma"}`, "", "no file"},
		"unknown image":   {404, "/datastore/label?image=c9", `{"client_id":"uma"}`, good, "c9"},
		"other tag":       {400, put + "&tag=original", `{"client_id":"uma"}`, good, "final"},
		"too large":       {413, put, `{"client_id":"uma"}`, strings.Repeat("x", 3<<20), "larger"},
	} {
		name := "m.nii.gz"
		if c.file == "" {
			name = ""
		}
		a := s.want(c.status, s.put(c.path, c.params, name, c.file))
		if detail := read[struct{ Detail string }](t, a).Detail; !strings.Contains(detail, c.says) {
			t.Errorf("%s: %s", what, detail)
		}
	}
	s.want(400, s.do("PUT", put, "x", "content-type", "text/plain"))
	s.want(400, s.do("PUT", put, "--x\r\nbroken", "content-type", "multipart/form-data; boundary=x"))
	if n := s.labelled(got.ID); len(n) != 0 {
		t.Errorf("stored: %v", n)
	}
	// An empty segment of another name does no harm, and the smaller grid lies within the image.
	s.want(200, s.put(put, `{"client_id":"uma","label_info":[{"name":"structure","idx":1},{"name":"liver","idx":2}]}`, "m.nii.gz", good))
}

// With 200 and an empty object the client says that nothing is left.
func TestNothingLeft(t *testing.T) {
	s := start(t, options{data: bare(t, 2), change: func(c *annotate.Config) { c.ValidationCases, c.ValidationShare = nil, 0 }})
	for range 2 {
		for {
			got := s.next(`{"client_id":"uma"}`)
			if got.ID == "" {
				break
			}
			s.want(200, s.put("/datastore/label?image="+got.ID, `{"client_id":"uma","slices":"all"}`, "m.nii.gz", s.mask(got.ID, ".nii.gz", ball)))
		}
	}
	s.same("nothing", s.want(200, s.do("POST", strategy, `{"client_id":"uma"}`)), `{}`)
}
