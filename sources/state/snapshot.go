package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"example.com/signalbox/sources/store"
)

const (
	snapshotFormat  = "signalbox snapshot"
	snapshotVersion = 1
	snapshotMax     = 8 << 20 // bytes on disk
	snapshotFiles   = 8       // identities whose snapshots are kept
)

type snapshotFile struct {
	Format   string       `json:"format"`
	Version  int          `json:"version"`
	Identity string       `json:"identity"` // hashed
	Saved    time.Time    `json:"saved"`
	Feeds    []feedRecord `json:"feeds"`
}

func hashed(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:12])
}

func snapshotName(identity string) string { return "snapshot-" + hashed(identity) + ".json" }

// SaveSnapshot keeps what the feeds of snap have answered, for the next start of a board with the same
// identity: whatever names its config and its accounts. Only a hash of the identity is written. A
// snapshot that is too large loses its oldest objects.
func (d *Dir) SaveSnapshot(identity string, snap *store.Snapshot) error {
	data, err := encodeSnapshot(identity, snap)
	if err != nil {
		return fmt.Errorf("save the snapshot: %w", err)
	}
	if err := d.write(snapshotName(identity), data, true); err != nil {
		return fmt.Errorf("save the snapshot: %w", err)
	}
	d.prune(snapshotName(identity))
	return nil
}

func encodeSnapshot(identity string, snap *store.Snapshot) ([]byte, error) {
	for b := (bounds{items: 40, history: 20, points: 720}); ; b = (bounds{b.items / 2, b.history / 2, b.points / 2}) {
		file := snapshotFile{Format: snapshotFormat, Version: snapshotVersion, Identity: hashed(identity), Saved: snap.At.UTC()}
		for i := range snap.Feeds {
			if !snap.Feeds[i].Health.LastGood.IsZero() {
				file.Feeds = append(file.Feeds, record(&snap.Feeds[i], b))
			}
		}
		data, err := json.Marshal(file)
		if err != nil {
			return nil, fmt.Errorf("encode %d feeds: %w", len(file.Feeds), err)
		}
		if len(data) <= snapshotMax {
			return data, nil
		}
		if b.items == 0 {
			return nil, fmt.Errorf("%d bytes of feeds without any object", len(data))
		}
	}
}

// LoadSnapshot returns the feeds that were last saved for identity, marked as cached, and when that was.
// now is the board's clock. A file that is missing, damaged, too large, of another version or another
// identity is ignored with a line in the log: the board then starts empty.
func (d *Dir) LoadSnapshot(identity string, now time.Time) (feeds []store.Feed, saved time.Time) {
	data, err := d.read(snapshotName(identity), snapshotMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}
	}
	if err == nil {
		feeds, saved, err = decodeSnapshot(data, identity, now)
	}
	if err != nil {
		d.log.Warn("the last snapshot is ignored", "err", err)
		return nil, time.Time{}
	}
	return feeds, saved
}

func decodeSnapshot(data []byte, identity string, now time.Time) ([]store.Feed, time.Time, error) {
	var file snapshotFile
	err := json.Unmarshal(data, &file)
	if file.Format != "" && (file.Format != snapshotFormat || file.Version != snapshotVersion) {
		return nil, time.Time{}, fmt.Errorf("read the snapshot: it is %q version %d, not %q version %d",
			file.Format, file.Version, snapshotFormat, snapshotVersion)
	}
	if err == nil && file.Format == "" {
		err = errors.New("it does not say what it is")
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the snapshot: %w", err)
	}
	if file.Identity != hashed(identity) {
		return nil, time.Time{}, errors.New("read the snapshot: it is of another config")
	}
	seen := make(map[store.FeedKey]bool, len(file.Feeds))
	var feeds []store.Feed
	for i := range file.Feeds {
		if !file.Feeds[i].valid(now) {
			continue
		}
		f := file.Feeds[i].feed()
		if !seen[f.Key] {
			seen[f.Key] = true
			feeds = append(feeds, f)
		}
	}
	return feeds, file.Saved, nil
}

// prune removes the oldest snapshots of other identities, and what a crash left half written.
func (d *Dir) prune(keep string) {
	type found struct {
		path string
		at   time.Time
	}
	var old []found
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return
	}
	for _, e := range entries {
		snapshot, _ := filepath.Match("snapshot-*.json", e.Name())
		partial, _ := filepath.Match(".snapshot-*", e.Name())
		info, err := e.Info()
		if err != nil || e.Name() == keep || !snapshot && !partial {
			continue
		}
		if partial && time.Since(info.ModTime()) < time.Hour {
			continue
		}
		f := found{d.file(e.Name()), info.ModTime()}
		if partial {
			f.at = time.Time{}
		}
		old = append(old, f)
	}
	slices.SortFunc(old, func(a, b found) int { return b.at.Compare(a.at) })
	for i, f := range old {
		if i < snapshotFiles-1 && !f.at.IsZero() {
			continue
		}
		if err := os.Remove(f.path); err != nil {
			d.log.Debug("remove an old snapshot", "err", err)
		}
	}
}
