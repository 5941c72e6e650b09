package notify

import (
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/signalbox/sources/clean"
)

func FuzzSlack(f *testing.F) {
	for _, seed := range []string{"", "<!channel>", "a & b", "@here@HERE", "&lt;", "https://x/?a=1|b", "\xff<", "@\u200bhere", "🎉\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := Message{Event: "ack", Title: clean.Line(text), Text: clean.Line(text), Who: text, URL: text}
		s := slackOf(&m)
		if link := slackLink(text); strings.Count(link, "<") > 1 || strings.Count(link, ">") > 1 || strings.Count(link, "|") > 1 {
			t.Fatalf("the link is %q", link)
		}
		for _, b := range s.Blocks {
			if b.Text == nil {
				continue
			}
			got := b.Text.Text
			if strings.ContainsAny(got, "<>") || len([]rune(got)) > slackSection || strings.Contains(strings.ToLower(got), "@channel") || utf8.ValidString(text) && !utf8.ValidString(got) {
				t.Fatalf("%q gives %q", text, got)
			}
		}
	})
}
